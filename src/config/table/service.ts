import { ipAddress } from "../checks.ts";
import type { Setting } from "../types.ts";

/** How kei lives beside other programs: service managers, monitoring, scripts. */
export const SERVICE = {
  notifySystemd: {
    type: { kind: "boolean" },
    flag: "notify-systemd",
    env: "KEI_NOTIFY_SYSTEMD",
    key: "watch.notify_systemd",
    help: "Tell systemd when kei is ready, what it does and that it is alive; by itself where systemd asks for it",
    on: "sync",
  },
  pidFile: {
    type: { kind: "path" },
    flag: "pid-file",
    env: "KEI_PID_FILE",
    key: "watch.pid_file",
    help: "File that holds the process number while kei runs",
    hint: "PATH",
    on: "sync",
  },
  notificationScript: {
    type: { kind: "path" },
    flag: "notification-script",
    env: "KEI_NOTIFICATION_SCRIPT",
    key: "notifications.script",
    help: "Script that is run when a run begins, when it ends, and when kei needs its owner",
    hint: "PATH",
    on: "sync",
  },
  serverEnabled: {
    type: { kind: "boolean" },
    env: "KEI_HTTP_ENABLED",
    key: "server.enabled",
    default: true,
    help: "While watching, answer /healthz, /livez and /metrics over HTTP",
    on: "sync",
  },
  httpPort: {
    type: { kind: "integer", min: 0, max: 65_535 },
    flag: "http-port",
    env: "KEI_HTTP_PORT",
    key: "server.port",
    default: 9090,
    help: "Port of that server; 0: any that is free",
    hint: "N",
    on: "sync",
  },
  httpBind: {
    type: { kind: "text" },
    flag: "http-bind",
    env: "KEI_HTTP_BIND",
    key: "server.bind",
    default: "127.0.0.1",
    check: ipAddress,
    help: "Address of that server; 0.0.0.0 lets other machines ask, too",
    hint: "IP",
    on: "sync",
  },
} as const satisfies Record<string, Setting>;
