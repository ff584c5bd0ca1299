import { existsSync } from "node:fs";
import { choosePassword } from "../config/password-choice.ts";
import { type Check, examine, type Patient, redact } from "../doctor/index.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { silentLogger } from "../runtime/ports.ts";
import { COMMIT, VERSION } from "../runtime/process.ts";
import { escapeControls } from "../ui/format.ts";
import { wrap } from "../ui/wrap.ts";
import { document } from "./catalogue.ts";
import { accountOf, type CommandContext, credentialsOf, dataDirOf, portsOf } from "./context.ts";

const SIGNS: Readonly<Record<Check["status"], string>> = { ok: "✓", warning: "!", error: "✗", skipped: "-" };

/** `kei doctor`: looks at everything kei depends on. Runs whatever is wrong; exit 1 when something is. */
export async function doctor(context: CommandContext): Promise<ExitCode> {
  const { settings, resolved, terminal } = context;
  const dataDir = dataDirOf(context);
  const installMethod = howInstalled();
  const checks = await examine({
    ...accountFacts(context),
    config: resolved.file,
    domain: settings.domain,
    dataDir,
    directory: settings.directory,
    reportPath: settings.reportJson,
    intervalMs: settings.watchInterval === undefined ? undefined : settings.watchInterval * 1000,
    perAsset: settings.perAsset,
    live: settings.live,
    version: VERSION,
    installMethod,
    // What is wrong is told by the checks.
    ports: { ...portsOf(context), logger: silentLogger, prompts: undefined },
  });
  if (settings.json) {
    const clean = (text: string) => redact(text, [settings.username ?? "", settings.password ?? ""]);
    terminal.out(
      document({
        schema: 1,
        command: "doctor",
        version: VERSION,
        commit: COMMIT,
        install_method: installMethod,
        config_path: clean(resolved.file.path),
        data_dir: clean(dataDir),
        report_path: settings.reportJson === undefined ? null : clean(settings.reportJson),
        checks,
      }),
    );
  } else {
    // What is piped is searched, not read by width.
    const width = terminal.outIsTerminal ? terminal.columns() : Number.POSITIVE_INFINITY;
    for (const line of checks.flatMap((check) => linesOf(check, width))) terminal.out(`${line}\n`);
  }
  return checks.some(({ status }) => status === "error") ? EXIT.failure : EXIT.ok;
}

const INDENT = " ".repeat(15);

function linesOf({ name, status, message, remedy }: Check, width: number): string[] {
  const text = wrap(escapeControls(message), width - INDENT.length).join(`\n${INDENT}`);
  const line = `${SIGNS[status]} ${name.padEnd(12)} ${text}`;
  if (remedy === undefined) return [line];
  return [line, `${INDENT}-> ${wrap(escapeControls(remedy), width - INDENT.length - 3).join(`\n${INDENT}   `)}`];
}

/** The account and its password, as far as they are named without contradiction; what contradicts is a problem. */
function accountFacts(context: CommandContext): Pick<Patient, "account" | "password" | "problems"> {
  const { settings, resolved, problems } = context;
  if (settings.username === undefined)
    return { account: undefined, password: { choice: undefined, store: undefined }, problems };
  try {
    const account = accountOf(context);
    return { account, password: { choice: choosePassword(resolved), store: credentialsOf(context) }, problems };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { account: undefined, password: { choice: undefined, store: undefined }, problems: [...problems, error] };
  }
}

/** How this kei came here, as far as it shows. */
function howInstalled(): string {
  if (COMMIT === "source") return "source";
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) return "docker";
  if (/\/(Cellar|homebrew)\//i.test(process.execPath)) return "homebrew";
  return process.execPath.includes("node_modules") ? "npm" : "binary";
}
