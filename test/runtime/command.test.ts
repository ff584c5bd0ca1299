/** What a command prints; what it does for passwords is in test/config/password.test.ts. */
import { expect, spyOn, test } from "bun:test";
import { outputOf } from "../../src/runtime/command.ts";
import { fasterClock } from "../support/kei.ts";

test.skipIf(process.platform === "win32")(
  "a command that runs as somebody else and can't be killed is let go of",
  async () => {
    const kill = spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("kill() failed"), { code: "EPERM" });
    });
    let group = 0;
    try {
      const output = outputOf("echo; exec sleep 60", {
        env: { PATH: process.env["PATH"] },
        ms: 30_000,
        bytes: 100,
        clock: fasterClock(500),
        signal: new AbortController().signal,
      });
      expect(await output.catch((error: Error) => error.message)).toBe("did not end within 30 seconds");
      group = Number(kill.mock.calls[0]?.[0]);
      expect(group).toBeLessThan(-1);
    } finally {
      kill.mockRestore();
      if (group < -1) process.kill(group, "SIGKILL");
    }
  },
);
