/** Uniform type identifiers: which extension a file gets, and what is an image (files.md 1.2, 1.6). */

/**
 * Complete on purpose: another type keeps the extension of its name. A longer table would rename files that earlier
 * tools have saved. `NRF` for Nikon's NRW is what existing trees carry.
 */
const EXTENSIONS: Readonly<Record<string, string>> = {
  "public.heic": "HEIC",
  "public.heif": "HEIF",
  "public.jpeg": "JPG",
  "public.png": "PNG",
  "com.apple.quicktime-movie": "MOV",
  "com.adobe.raw-image": "DNG",
  "com.canon.cr2-raw-image": "CR2",
  "com.canon.cr3-raw-image": "CR3",
  "com.canon.crw-raw-image": "CRW",
  "com.sony.arw-raw-image": "ARW",
  "com.fuji.raw-image": "RAF",
  "com.panasonic.rw2-raw-image": "RW2",
  "com.nikon.raw-image": "NEF",
  "com.nikon.nrw-raw-image": "NRF",
  "com.pentax.raw-image": "PEF",
  "com.olympus.raw-image": "ORF",
  "com.olympus.or-raw-image": "ORF",
  "org.webmproject.webp": "WEBP",
};

/** Upper-case extension without the dot, or undefined when the name's own is kept. Exact match. */
export function extensionOfUti(uti: string): string | undefined {
  return Object.hasOwn(EXTENSIONS, uti) ? EXTENSIONS[uti] : undefined;
}

const QUICKTIME = "com.apple.quicktime-movie";
const IMAGE_EXTENSION = /\.(heic|png|jpe?g|webp)$/i;

/**
 * Image or movie, by the original's type, else by the name. What neither tells is a movie: so are GIF and TIFF stills,
 * as in the trees that earlier tools have saved (files.md RN-4).
 */
export function isImage(itemType: string | undefined, filename: string | undefined): boolean {
  if (itemType === QUICKTIME) return false;
  if (itemType !== undefined && extensionOfUti(itemType) !== undefined) return true;
  return IMAGE_EXTENSION.test(filename ?? "");
}

/** Whether a type is a camera's raw format. */
export function isRaw(uti: string): boolean {
  return uti.includes("raw");
}
