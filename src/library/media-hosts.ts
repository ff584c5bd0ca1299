/** Hosts that may serve media, also after a redirect (engine.md TX-6, cloudkit.md 6.1). */
const MEDIA_HOSTS = [".icloud-content.com", ".icloud-content.com.cn", ".cdn-apple.com"];

/** Whether media may be fetched from this URL: https, and a host of Apple's media network. */
export function isMediaUrl(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "https:" || parsed.username !== "" || parsed.password !== "") return false;
  return MEDIA_HOSTS.some((suffix) => parsed.hostname.endsWith(suffix));
}

/**
 * Whether a signed URL is known to have expired (cloudkit.md 6.3): its `e` is the moment of its end. A moment before the
 * URL was even received says that this machine's clock is wrong, and proves nothing. All times in ms.
 */
export function isExpired(url: string, receivedAt: number, now: number): boolean {
  const seconds = Number(URL.parse(url)?.searchParams.get("e") ?? Number.NaN);
  const end = seconds * 1000;
  return Number.isFinite(end) && end > receivedAt && now >= end;
}
