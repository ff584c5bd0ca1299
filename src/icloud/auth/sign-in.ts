import { EXIT, Failure } from "../../library/failure.ts";
import { privateFile } from "../../runtime/private-file.ts";
import type { SignedInAccount } from "../account.ts";
import { createAppleHttp } from "../client.ts";
import { endpointsOf } from "../endpoints.ts";
import { openAttempts } from "./attempts.ts";
import { normalizeCode } from "./code.ts";
import { codeNeeded, malformedCode } from "./failures.ts";
import { type Door, type Journey, type ReadyAccount, reach } from "./reach.ts";
import { stripped } from "./session-record.ts";
import { openSessionStore } from "./session-store.ts";
import { askForCode, deliver, handIn, phonesOf, pickByNumber } from "./two-factor.ts";
import type { CodeByText, Credentials, SignIn, SignInOptions, SignInResult } from "./types.ts";
import { formatVerified, parseVerified, type VerifiedAccount } from "./verified-cache.ts";

/** A session that is younger can't be mended by the password that has just made it, ms. */
const FRESH_MS = 60_000;

/** Opens what is saved of an account's sign-in. Makes no request. The caller holds the account's lock. */
export async function createSignIn(options: SignInOptions): Promise<SignIn> {
  const { clock, domain, files, logger } = options;
  if (domain !== "com" && domain !== "cn") {
    throw new Failure("The domain must be `com` or `cn`.", { exit: EXIT.failure });
  }
  const open = (path: string) => privateFile(path, { readOnly: options.readOnly === true });
  const cache = open(files.cache);
  const client = await createAppleHttp({
    domain,
    signInDomain: options.signInDomain,
    file: open(files.cookies),
    clock,
    logger,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const door: Door = {
    endpoints: endpointsOf(domain, options.signInDomain),
    client,
    session: await openSessionStore(open(files.session), logger),
    // Written by a dry run, too: a locked account would be worse than a note on the disk (DECISIONS 18 before 22).
    attempts: await openAttempts(privateFile(files.attempts), clock),
    clock,
    random: options.random,
    logger,
    signal: options.signal,
    appleId: options.username.trim().toLowerCase(),
    username: options.username.trim(),
  };
  const { session } = door;

  const asAccount = ({ dsid, ckdatabaseUrl }: VerifiedAccount): SignedInAccount => ({
    dsid,
    ckdatabaseUrl,
    domain,
    clientId: session.record.client_id,
  });

  /** Everything of this account but its client id's file name: for a state that Apple refuses whole (auth.md 5.6). */
  async function forgetAll(): Promise<void> {
    await cache.remove();
    await session.reset();
    await client.forget();
  }

  function begin(credentials: Credentials, freshConnection = false): Journey {
    let password: Promise<string> | undefined;
    const { retype } = credentials;
    return {
      credentials,
      password: () => {
        password ??= credentials.password();
        return password;
      },
      retype:
        retype &&
        (() => {
          password = retype();
          return password;
        }),
      freshConnection,
      usedPassword: false,
      hasStoredState: Object.keys(session.record).length > 1 || client.cookies.dump().length > 0,
      startedOver: false,
    };
  }

  /** The account, if Apple found the session good within the last minutes (or ever), and its cookies are still here. */
  async function verifiedLately(anyAge = false): Promise<SignedInAccount | undefined> {
    if (session.record.session_token === undefined) return undefined;
    const verified = parseVerified((await cache.read()) ?? "", clock.now(), domain, { anyAge });
    if (verified === undefined || !client.cookies.has(verified.ckdatabaseUrl, "X-APPLE-WEBAUTH-TOKEN"))
      return undefined;
    return asAccount(verified);
  }

  async function remember(account: ReadyAccount): Promise<SignedInAccount> {
    for (const name of ["X-APPLE-WEBAUTH-USER", "X-APPLE-WEBAUTH-TOKEN"]) {
      if (!client.cookies.has(account.ckdatabaseUrl, name)) logger.debug("Apple gave no such cookie", { name });
    }
    await session.update((record) => ({ ...record, ckdatabasews_url: account.ckdatabaseUrl }));
    await saving(() => cache.write(formatVerified(account, clock.now())));
    return asAccount(account);
  }

  async function enter(journey: Journey, byText?: CodeByText): Promise<SignInResult> {
    const { askCode } = journey.credentials;
    let reached = await reach(door, journey);
    if (reached.state === "code-pending") {
      // No code is ever sent unless a person asked for it: unattended requests lock the sending of codes. Nor for a run that
      // may not keep the trust that a code brings.
      if (askCode === undefined || options.readOnly === true) throw codeNeeded(door.username);
      reached = await askForCode(door, journey, reached, forgetAll, askCode, byText);
    }
    if (reached.how === "srp") provenAt = clock.monotonic();
    return { account: await remember(reached.account), how: reached.how };
  }

  /** Gets to where only a code is missing; undefined when none is. */
  async function toCode(credentials: Credentials) {
    if ((await verifiedLately()) !== undefined) return undefined;
    const journey = begin(credentials);
    const reached = await reach(door, journey);
    if (reached.state === "code-pending") return { journey, reached };
    await remember(reached.account);
    return undefined;
  }

  /** A disk that refuses costs the next run a sign-in, not this one its result. */
  async function saving(save: () => Promise<void>): Promise<void> {
    try {
      await save();
    } catch (error) {
      logger.warn(error instanceof Error ? error.message : "Cannot save the session.");
    }
  }

  /** One call after the other; on every way out the cookies are on disk, because the next process needs them. */
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = last.then(act).finally(() => saving(client.flush));
    // Its own caller hears of a failure; the next call starts afresh.
    last = turn.catch(() => undefined);
    return turn;
  }

  /** When a password last opened the account, on the monotonic clock. */
  let provenAt: number | undefined;
  const renewals: Partial<Record<"soft" | "strip", Promise<SignInResult>>> = {};

  return {
    http: client,

    authenticate: (credentials, { trustSaved = false, byText } = {}) =>
      inTurn(async () => {
        const account = await verifiedLately(trustSaved);
        return account === undefined ? enter(begin(credentials), byText) : { account, how: "cached" };
      }),

    requestCode: (credentials, byText) =>
      inTurn(async () => {
        const pending = await toCode(credentials);
        if (pending === undefined) return "already";
        const { journey, reached } = pending;
        // The process that hands the code in finds its way by these files alone.
        await session.assertSaved();
        await client.flush();
        const pick = byText === undefined ? undefined : pickByNumber(byText);
        const sent = await deliver(door, journey, reached, forgetAll, pick);
        if (sent.state === "sent") return sent.textedTo === undefined ? "sent" : { textedTo: sent.textedTo };
        await remember(sent.account);
        return "already";
      }),

    listPhones: (credentials) =>
      inTurn(async () => {
        const pending = await toCode(credentials);
        if (pending === undefined) return "already";
        const phones = await phonesOf(door, pending.journey, pending.reached, forgetAll);
        if ("state" in phones) {
          await remember(phones.account);
          return "already";
        }
        return phones.map(({ display, mode }, index) => ({ number: index + 1, display, isCalled: mode === "voice" }));
      }),

    submitCode: (input, credentials) =>
      inTurn(async () => {
        const code = normalizeCode(input);
        if (code === undefined) throw malformedCode();
        await cache.remove();
        const journey = begin(credentials);
        const reached = await reach(door, journey);
        if (reached.state === "ready") {
          await remember(reached.account);
          return "already";
        }
        if (journey.usedPassword) {
          logger.warn("The sign-in that the code was requested for is gone; Apple may not accept the code any more.");
        }
        const finished = await handIn(door, journey, code);
        await remember(finished.account);
        return "accepted";
      }),

    reauthenticate(level, credentials) {
      const running = renewals[level];
      if (running !== undefined) return running;
      const renewal = inTurn(async () => {
        await cache.remove();
        const before = session.record;
        // Right after a proof of the password another one would bring nothing new.
        const isFresh = provenAt !== undefined && clock.monotonic() - provenAt < FRESH_MS;
        if (level === "strip" && !isFresh) await session.update(stripped);
        try {
          return await enter(begin(credentials, true));
        } catch (error) {
          // Nothing has taken the old session's place: it may still be good, and is all that an unattended run has.
          if (session.record.session_token === undefined) await session.update(() => before);
          throw error;
        }
      }).finally(() => {
        delete renewals[level];
      });
      renewals[level] = renewal;
      return renewal;
    },

    sessionFacts() {
      const { session_token, trusted_at } = session.record;
      const trustedAt = Date.parse(trusted_at ?? "");
      return {
        hasSession: session_token !== undefined,
        trustedAt: Number.isNaN(trustedAt) ? undefined : trustedAt,
        throttledUntil: door.attempts.throttledUntil(),
        passwordRefusedAt: door.attempts.lastRefusal,
      };
    },

    close: () => saving(client.close),
  };
}
