/** What the doctor says can be shown to anybody. */
import { describe, expect, test } from "bun:test";
import { redact } from "../../src/doctor/redact.ts";

describe("redact", () => {
  test.each([
    ["mail of Jane.Doe+x@mail.example.co.uk, sent", "mail of <redacted>, sent"],
    ["/photos/jane@example.com/2024", "/photos/<redacted>/2024"],
    ["Authorization: Bearer abc.def-123", "Authorization: <redacted>"],
    ["sent bearer abc.def-123 twice", "sent Bearer <redacted> twice"],
    ["Set-Cookie: X-APPLE-WEBAUTH-TOKEN=v=2:t=abc; Path=/", "Set-Cookie: <redacted>"],
    ["session_token=abc123 next", "session_token=<redacted> next"],
    ['{"password": "hunter two"}', '{"password": <redacted>}'],
    [
      "GET https://cvws.icloud-content.com/B/x?o=abc&k=def failed",
      "GET https://cvws.icloud-content.com/B/x?<redacted> failed",
    ],
    ["nothing to hide: exit code 3 of 5", "nothing to hide: exit code 3 of 5"],
  ])("%s", (text, expected) => {
    expect(redact(text, [])).toBe(expected);
  });

  test("known secrets go wherever they are", () => {
    expect(redact("x hunter2 y hunter22", ["hunter2", "hunter22", ""])).toBe("x <redacted> y <redacted>");
  });
});
