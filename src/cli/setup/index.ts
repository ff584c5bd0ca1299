/** x */

import type { ExitCode } from "../../library/failure.ts";
import type { CommandContext } from "../context.ts";
export async function setup(_c: CommandContext): Promise<ExitCode> {
  return 0;
}
