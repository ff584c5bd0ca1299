/** Hosts that may serve media, also after a redirect (engine.md TX-6, cloudkit.md 6.1). */
const MEDIA_HOSTS = [".icloud-content.com", ".icloud-content.com.cn", ".cdn-apple.com"];

/** Whether media may be fetched from this URL: https, and a host of Apple's media network. */
export function isMediaUrl(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "https:" || parsed.username !== "" || parsed.password !== "") return false;
  return MEDIA_HOSTS.some((suffix) => parsed.hostname.endsWith(suffix));
}
