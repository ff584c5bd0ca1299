/** Handing in a code, and having this installation trusted for it. Facts: auth.md 3.4, 3.5, 3.8. */
import { isSuccess } from "./answer.ts";
import { type Calls, callAuth, orUnreachable } from "./calls.ts";
import { judgeCode } from "./code.ts";
import { pendingPhone, phoneNumber } from "./code-delivery.ts";
import { codeStepFailed, codesLocked, repairRequired } from "./failures.ts";
import { repair } from "./handshake.ts";
import { CODE_FIELDS, without } from "./session-record.ts";

/** Hands in a code where the last one was sent: to the devices' endpoint, or the phone's. */
export async function proveCode(
  calls: Calls,
  code: string,
): Promise<"accepted" | "accepted-repair-needed" | "wrong-code"> {
  const phone = pendingPhone(calls.session.record);
  const answer = await orUnreachable(
    callAuth(
      calls,
      phone === undefined
        ? {
            method: "POST",
            path: "/verify/trusteddevice/securitycode",
            headers: { Accept: "application/json" },
            body: { securityCode: { code } },
            retry: "status",
          }
        : {
            method: "POST",
            path: "/verify/phone/securitycode",
            headers: { Accept: "application/json; charset=utf-8" },
            body: { phoneNumber: phoneNumber(phone), securityCode: { code }, mode: phone.mode },
            retry: "status",
          },
    ),
  );
  const verdict = judgeCode(answer);
  switch (verdict) {
    case "accepted":
    case "accepted-repair-needed":
    case "wrong-code":
      return verdict;
    case "too-many-attempts":
      throw codesLocked();
    case "retry-then-error":
      throw codeStepFailed("Apple could not check the code", answer);
    case "error":
      throw codeStepFailed("Apple did not take the code: the sign-in it belongs to may be too old", answer);
  }
}

/**
 * Asks Apple to trust this installation, right after a code was accepted, so that the next sign-in needs none.
 * `afterRepair` says that the account wanted looking after.
 */
export async function trust(calls: Calls, options: { readonly afterRepair: boolean }): Promise<void> {
  if (options.afterRepair) await repair(calls);
  const answer = await orUnreachable(callAuth(calls, { method: "GET", path: "/2sv/trust", retry: "never" }));
  if (!isSuccess(answer)) {
    throw options.afterRepair
      ? repairRequired(calls.endpoints.domain)
      : codeStepFailed("The code was accepted, but Apple did not trust this installation", answer);
  }
  if ((answer.headers.get("x-apple-twosv-trust-token") ?? "") === "") {
    calls.logger.warn("Apple trusts this session only: the next sign-in will need a code again.");
    await calls.session.update((record) => without(record, ...CODE_FIELDS));
    return;
  }
  await calls.session.update((record) => ({
    ...without(record, ...CODE_FIELDS),
    trusted_at: new Date(calls.clock.now()).toISOString(),
  }));
}
