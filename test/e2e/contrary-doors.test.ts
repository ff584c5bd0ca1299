/** Sign-ins and sessions at hosts that say everything in other words; the requests are those of auth.md 8.2 all the same. */
import { expect, test } from "bun:test";
import { PhotoLibrary, startDouble } from "../icloud/index.ts";
import { contraryDoors } from "../support/contrary-doors.ts";
import { Home } from "../support/kei.ts";

test.each([1, 2, 3])("from the first code to the loss of trust, seed %p", async (seed) => {
  const library = new PhotoLibrary({ seed: 3 });
  library.addAsset({ filename: "A.JPG" });
  const double = await startDouble({
    library,
    transform: contraryDoors(seed),
    account: { signInLimit: 1_000, phones: [{ id: 1, lastTwoDigits: "07", nonFTEU: seed === 2 }] },
  });
  const home = new Home(double);
  const { account } = double;
  /** The exit code, and the requests to the two hosts; what was verified lately need not be asked. */
  const run = async (...args: readonly string[]): Promise<readonly unknown[]> => {
    double.log.clear();
    const { code } = await home.fast(args);
    const asked = double.log.all
      .map(({ operation }) => operation)
      .filter((name) => !/^(private|shared|cdn)/.test(name));
    return [code, asked.filter((name) => name !== "validate").join(" ")];
  };
  const sync = ["sync", "-d", home.photos];
  const code = (): string => account.deviceCode ?? "none";
  try {
    const signIn = "signin/init signin/complete accountLogin";
    expect(await run("login", "get-code")).toEqual([0, `${signIn} push`]);
    expect(await run("login", "submit-code", code())).toEqual([0, "accountLogin code trust accountLogin"]);
    expect(await run(...sync)).toEqual([0, ""]);
    account.expireCookies();
    expect(await run(...sync)).toEqual([0, "accountLogin"]);
    account.expireSession();
    expect(await run(...sync)).toEqual([0, `accountLogin ${signIn}`]);
    account.revokeTrust();
    expect(await run(...sync)).toEqual([3, `accountLogin ${signIn}`]);
    expect(await run("login", "get-code", "--sms")).toEqual([0, "accountLogin options sms"]);
    const texted = account.textedCode ?? "none";
    expect(await run("login", "submit-code", texted)).toEqual([0, "accountLogin smscode trust accountLogin"]);
    expect(await run(...sync)).toEqual([0, ""]);
    account.revokeTrust();
    expect(await run("login", "get-code")).toEqual([0, `accountLogin ${signIn} push`]);
    expect(await run("login", "submit-code", code())).toEqual([0, "accountLogin code trust accountLogin"]);
  } finally {
    await double.stop();
    home.remove();
  }
});
