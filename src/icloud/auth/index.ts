/** Signing in to iCloud: saved session, password by SRP, two-factor code, trust. Facts: auth.md. */
export { AuthError, type AuthErrorKind } from "./errors.ts";
export { createSignIn } from "./sign-in.ts";
export type { Credentials, SessionFacts, SignIn, SignInOptions, SignInResult, SignInRoute } from "./types.ts";
