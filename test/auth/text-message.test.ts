/** Codes by text message: to which phone, at the prompt and in two processes, and what Apple may say to it (auth.md 3.5). */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  CODE_OK,
  FakeApple,
  failureOf,
  Machine,
  PASSWORD,
  phonePage,
  type Scripted,
  WRONG_CODE,
  WRONG_PASSWORD,
} from "./fake-apple.ts";

const PHONES: Scripted = {
  body: phonePage([
    { id: 4, obfuscatedNumber: "(•••) •••-••07", pushMode: "sms" },
    { id: 9, obfuscatedNumber: "(•••) •••-••44", pushMode: "sms", nonFTEU: false },
  ]),
};

/** A machine whose owner has two phones. */
function machine(): Machine {
  const m = new Machine(new FakeApple());
  m.apple.always("OPTIONS", PHONES);
  return m;
}

const byText = (m: Machine, phone?: number) => m.run((signIn) => signIn.requestCode(m.credentials(), { phone }));

describe("get-code by text message", () => {
  test("sends it to the phone of that number, and hands it in for the same one", async () => {
    const m = machine();
    expect(await byText(m, 2)).toEqual({ textedTo: "(***) ***-**44" });
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN OPTIONS SMS");
    expect(m.apple.only("SMS").body).toEqual({ phoneNumber: { id: 9, nonFTEU: false }, mode: "sms" });
    m.apple.calls.length = 0;
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("LOGIN SMSCODE TRUST LOGIN");
    expect(m.apple.only("SMSCODE").body).toMatchObject({ phoneNumber: { id: 9, nonFTEU: false }, mode: "sms" });
  });

  test("needs no number where there is one phone", async () => {
    const m = new Machine(new FakeApple());
    expect(await byText(m)).toEqual({ textedTo: "(***) ***-**07" });
  });

  test.each([undefined, 3])("with several phones and the number %p sends nothing, and lists them", async (phone) => {
    const m = machine();
    const failure = await failureOf(byText(m, phone));
    expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
    expect(failure.message).toContain("1 is (***) ***-**07, 2 is (***) ***-**44");
    expect(failure["remedy"]).toContain("kei login get-code --sms --phone N");
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN OPTIONS");
  });

  test("says so where Apple names no phone, and has nothing pushed instead", async () => {
    const m = new Machine(new FakeApple());
    m.apple.on("OPTIONS", { body: "<html>" });
    expect((await failureOf(byText(m))).message).toContain("names no phone");
    expect(m.apple.of("PUSH")).toHaveLength(0);
  });

  test.each<[string, Scripted, Record<string, unknown>, string]>([
    ["a blocked phone", { status: 423, body: { service_errors: [{ code: "-28248" }] } }, { exit: 3 }, "for now"],
    [
      "too many codes",
      { status: 423, body: { securityCode: { tooManyCodesSent: true } } },
      { exit: 3 },
      "no further codes",
    ],
    ["locked codes", { status: 423, body: { securityCode: { securityCodeLocked: true } } }, { exit: 4 }, "has locked"],
    ["a wrong phone", { status: 412 }, { exit: 3 }, "was not sent a code"],
  ])("%s is an error of its own", async (_what, answer, failure, message) => {
    const m = machine();
    m.apple.on("SMS", answer);
    const error = await failureOf(byText(m, 1));
    expect(error).toMatchObject(failure);
    expect(error.message).toContain(message);
    expect(m.apple.of("SMS")).toHaveLength(1);
  });

  test.each<["OPTIONS" | "SMS", number, string]>([
    ["OPTIONS", 401, "LOGIN OPTIONS INIT COMPLETE LOGIN OPTIONS SMS"],
    ["OPTIONS", 403, "LOGIN OPTIONS INIT COMPLETE LOGIN OPTIONS SMS"],
    ["SMS", 421, "LOGIN OPTIONS SMS INIT COMPLETE LOGIN OPTIONS SMS"],
  ])("begins anew, once, when the attempt is too old (%s %i)", async (step, status, sequence) => {
    const m = machine();
    await byText(m, 1);
    m.apple.clear();
    m.apple.on(step, { status }).always("OPTIONS", PHONES);
    expect(await byText(m, 1)).toEqual({ textedTo: "(***) ***-**07" });
    expect(m.apple.sequence).toBe(sequence);
  });

  test("does not keep the next code from the devices", async () => {
    const m = machine();
    await byText(m, 2);
    await m.run((signIn) => signIn.requestCode(m.credentials()));
    m.apple.calls.length = 0;
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("LOGIN CODE TRUST LOGIN");
  });

  test("of a sign-in that is gone is void: a code from the settings of a device is handed in for the devices", async () => {
    const m = machine();
    await byText(m, 2);
    m.apple.calls.length = 0;
    m.apple.on("LOGIN", { status: 400, body: { error: "Invalid Session Token" } });
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("LOGIN INIT COMPLETE LOGIN CODE TRUST LOGIN");
  });
});

describe("the list of phones", () => {
  test("is numbered as --phone takes them, and sends nothing", async () => {
    const m = machine();
    m.apple.clear();
    m.apple.on("OPTIONS", {
      body: phonePage([
        { id: 4, obfuscatedNumber: "(•••) •••-••07", pushMode: "sms" },
        { id: 9, obfuscatedNumber: "(•••) •••-••44", pushMode: "voice" },
      ]),
    });
    expect(await m.run((signIn) => signIn.listPhones(m.credentials()))).toEqual([
      { number: 1, display: "(***) ***-**07", isCalled: false },
      { number: 2, display: "(***) ***-**44", isCalled: true },
    ]);
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN OPTIONS");
  });

  test("is not there for who is signed in", async () => {
    const m = await machine().signedIn();
    expect(await m.run((signIn) => signIn.listPhones(m.credentials()))).toBe("already");
    expect(m.apple.sequence).toBe("");
  });
});

describe("at the prompt", () => {
  const signedIn = async (m: Machine, ...answers: readonly string[]) => {
    const person = m.person(...answers);
    await m.run((signIn) => signIn.authenticate(person));
    return person.questions;
  };

  test.each(["s", " SMS "])("%j texts the code; where there are several phones, it is asked which", async (word) => {
    const m = machine();
    const questions = await signedIn(m, word, "2", CODE_OK);
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH OPTIONS SMS SMSCODE TRUST LOGIN");
    expect(questions[1]).toBe("Which phone? 1 is (***) ***-**07, 2 is (***) ***-**44:");
    expect(questions[2]).toStartWith("A new code is on its way. Verification code from your phone");
    expect(m.apple.only("SMSCODE").body).toMatchObject({ phoneNumber: { id: 9 } });
  });

  test("the first code is texted at once where that was asked for", async () => {
    for (const [phone, answers] of [
      [undefined, ["2", CODE_OK]],
      [2, [CODE_OK]],
    ] as const) {
      const m = machine();
      await m.run((signIn) => signIn.authenticate(m.person(...answers), { byText: { phone } }));
      expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN OPTIONS SMS SMSCODE TRUST LOGIN");
      expect(m.apple.only("SMS").body).toMatchObject({ phoneNumber: { id: 9 } });
    }
  });

  test("one phone needs no question", async () => {
    const m = new Machine(new FakeApple());
    const questions = await signedIn(m, "s", CODE_OK);
    expect(questions).toHaveLength(2);
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH OPTIONS SMS SMSCODE TRUST LOGIN");
  });

  test("a phone that is not there is told, and the code of the devices still counts", async () => {
    const m = machine();
    await signedIn(m, "s", "7", "s", "", CODE_OK);
    expect(m.log.warnings.join()).toContain("no phone 7");
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH OPTIONS OPTIONS CODE TRUST LOGIN");
  });

  test("Enter sends it again the way it went before", async () => {
    const m = machine();
    await signedIn(m, "s", "2", "", CODE_OK);
    expect(m.apple.of("SMS").map(({ body }) => body["phoneNumber"])).toEqual([
      { id: 9, nonFTEU: false },
      { id: 9, nonFTEU: false },
    ]);
    expect(m.apple.of("PUSH")).toHaveLength(1);
  });

  test("messages are not requested without end", async () => {
    const m = new Machine(new FakeApple());
    const failure = await failureOf(signedIn(m, "s", "s", "s", "s", "s"));
    expect(failure["kind"]).toBe("two-factor-failed");
    expect(m.apple.of("SMS")).toHaveLength(4);
  });

  test("a phone that gets no more messages is told, and the question is asked again", async () => {
    const m = new Machine(new FakeApple());
    m.apple.on("SMS", { status: 423, body: { securityCode: { tooManyCodesSent: true } } });
    await signedIn(m, "s", CODE_OK);
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH OPTIONS SMS CODE TRUST LOGIN");
    expect(m.log.warnings.join()).toContain("no further codes");
  });
});

describe("an account that Apple shows only after the code", () => {
  const hidden: Scripted = { status: 403, body: { success: false, error: "not yet" } };

  test("proves its password once for get-code and submit-code together", async () => {
    const m = machine();
    m.apple.on("LOGIN", hidden, hidden);
    expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH LOGIN CODE TRUST LOGIN");
  });

  test("may try a second code after a wrong one, still with the same sign-in", async () => {
    const m = machine();
    m.apple.on("LOGIN", hidden, hidden, hidden).on("CODE", WRONG_CODE);
    await m.run((signIn) => signIn.requestCode(m.credentials()));
    await failureOf(m.run((signIn) => signIn.submitCode("999999", m.credentials())));
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH LOGIN CODE LOGIN CODE TRUST LOGIN");
  });

  test("needs its password again when the code is no longer any good", async () => {
    const m = machine();
    m.apple.on("LOGIN", hidden, hidden);
    await m.run((signIn) => signIn.requestCode(m.credentials()));
    m.apple.calls.length = 0;
    await m.later(31 * 60_000).run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(m.apple.sequence).toBe("LOGIN INIT COMPLETE LOGIN CODE TRUST LOGIN");
  });

  test("leaves no trace of the wait once it is trusted", async () => {
    const m = machine();
    m.apple.on("LOGIN", hidden, hidden);
    await m.run((signIn) => signIn.requestCode(m.credentials()));
    expect(readFileSync(m.files.session, "utf8")).toContain("code_awaited_since");
    await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
    expect(readFileSync(m.files.session, "utf8")).not.toContain("code_awaited_since");
  });
});

describe("a password that Apple has refused before", () => {
  async function refusedOnce(): Promise<Machine> {
    const m = machine();
    m.apple.on("COMPLETE", WRONG_PASSWORD);
    await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
    m.apple.calls.length = 0;
    return m;
  }

  test("is asked for anew where a person wants that, and Apple hears only the new one", async () => {
    const m = await refusedOnce();
    let told = 0;
    const person = {
      ...m.person(CODE_OK),
      passwordInteractive: false,
      mayReplace: true,
      retype: () => Promise.resolve(`${PASSWORD}!`),
      accepted: async () => {
        told += 1;
      },
    };
    await m.run((signIn) => signIn.authenticate(person));
    expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
    expect(m.log.warnings.join()).toContain("Apple refused this password");
    expect(told).toBe(1);
  });

  test("is not asked for anew by a run that nobody watches, terminal or not", async () => {
    const m = await refusedOnce();
    const retype = () => Promise.reject(new Error("asked"));
    const failure = await failureOf(m.run((signIn) => signIn.authenticate({ ...m.credentials(), retype })));
    expect(failure["kind"]).toBe("bad-credentials");
    expect(m.apple.sequence).toBe("");
  });

  test("may be mistyped twice, not three times", async () => {
    const m = machine();
    m.apple.on("COMPLETE", WRONG_PASSWORD, WRONG_PASSWORD);
    let typed = 0;
    const retype = async () => {
      typed += 1;
      return `typed ${typed}`;
    };
    await m.run((signIn) => signIn.authenticate({ ...m.person(CODE_OK), retype }));
    expect([typed, m.apple.of("COMPLETE").length]).toEqual([2, 3]);
    const other = machine();
    other.apple.always("COMPLETE", WRONG_PASSWORD);
    const failure = await failureOf(other.run((signIn) => signIn.authenticate({ ...other.person(), retype })));
    expect([failure["kind"], other.apple.of("COMPLETE").length]).toEqual(["bad-credentials", 3]);
  });

  test("is not said to be accepted when it is refused", async () => {
    const m = machine();
    m.apple.on("COMPLETE", WRONG_PASSWORD);
    const accepted = () => Promise.reject(new Error("told"));
    expect((await failureOf(m.run((signIn) => signIn.authenticate({ ...m.credentials(), accepted }))))["kind"]).toBe(
      "bad-credentials",
    );
  });
});

test("a run that may keep nothing asks for no code: the trust would be lost with it", async () => {
  const m = machine();
  const failure = await failureOf(m.run((signIn) => signIn.authenticate(m.person(CODE_OK)), { readOnly: true }));
  expect(failure["kind"]).toBe("two-factor-required");
  expect(m.apple.of("PUSH")).toHaveLength(0);
});
