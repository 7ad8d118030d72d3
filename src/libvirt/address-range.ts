import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Addresses of one subnet. */
export interface AddressRange {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** By the length of its prefix or its netmask. Undefined: it is no subnet. */
export function rangeOf(address: string, mask: string): AddressRange | undefined {
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
  const prefix = /^\d{1,3}$/.test(mask) ? Number(mask) : prefixOf(mask)
  const longest = family === 'ipv4' ? 32 : 128
  return family === undefined || prefix === undefined || prefix > longest ? undefined : { family, address, prefix }
}

/** As libvirt reads an address of a network: by its prefix, else by its netmask, else by its class, as in the old days. */
export const subnetOf = (address: string, prefix = '', netmask?: string): AddressRange | undefined =>
  rangeOf(address, /^0*$/.test(prefix) ? (netmask ?? prefixOfClass(address)) : prefix)

function prefixOfClass(address: string): string {
  if (isIPv6(address)) return /^[0:]+$/.test(address) ? '0' : '64'
  const first = isIPv4(address) ? Number.parseInt(address, 10) : 255
  if (address === '0.0.0.0') return '0'
  return first < 128 ? '8' : first < 192 ? '16' : first < 224 ? '24' : ''
}

/** `255.255.255.0` is 24. */
function prefixOf(netmask: string): number | undefined {
  if (!isIPv4(netmask)) return undefined
  const bits = netmask
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined
}

/** Whether some address is in both: then one of the two has the other's in it. */
export const overlap = (a: AddressRange, b: AddressRange): boolean =>
  a.family === b.family && (contains(a, b.address) || contains(b, a.address))

/** Whether both are the very same subnet, whichever of its addresses they name. */
export const isSameSubnet = (a: AddressRange, b: AddressRange): boolean =>
  a.family === b.family && a.prefix === b.prefix && contains(a, b.address)

function contains({ family, address, prefix }: AddressRange, other: string): boolean {
  const list = new BlockList()
  list.addSubnet(address, prefix, family)
  return list.check(other, family)
}

/** One address of this host or of another. */
export const holds = (range: AddressRange, address: string): boolean =>
  range.family === (isIPv6(address) ? 'ipv6' : 'ipv4') && contains(range, address)

/** `10.77.0.1/24` */
export const rangeText = ({ address, prefix }: AddressRange): string => `${address}/${prefix}`

/**
 * Addresses that nobody on the internet has. Not those of links and of carriers (169.254.0.0/16, 100.64.0.0/10): by these hosts
 * reach what tells them of themselves in a cloud, and private networks that span sites.
 */
const PRIVATE = [
  ...(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const),
  ...(['192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'] as const),
  ...(['fc00::/7', 'fe80::/10', '2001:db8::/32'] as const)
].flatMap((text) => rangeOf(...(text.split('/') as [string, string])) ?? [])

/** Whether all of a subnet is among those: a host that has it reaches nobody else by it than before. */
export const isPrivate = (range: AddressRange): boolean =>
  PRIVATE.some((each) => each.prefix <= range.prefix && each.family === range.family && contains(each, range.address))
