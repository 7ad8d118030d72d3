/** All pages that Stillpoint ever opens in the browser. Callers name a key; an address from elsewhere has no way in. */
const LINKS = {
  libvirtManual: 'https://libvirt.org/docs.html',
  qemuManual: 'https://www.qemu.org/docs/master/'
} as const

export type ExternalLink = keyof typeof LINKS

/** Opens a page of the table. A key that came from outside, and is not in it, opens nothing. */
export async function openLink(open: (url: string) => Promise<void>, key: ExternalLink): Promise<void> {
  if (Object.hasOwn(LINKS, key)) await open(LINKS[key])
}
