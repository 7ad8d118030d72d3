import { rangeOf, type AddressRange } from './address-range.ts'

/** A subnet that this host reaches by a device of its own. */
export interface Route {
  readonly device: string
  readonly range: AddressRange
}

/**
 * `/proc/net/route`, which libvirt reads too before it starts a network: it refuses one whose addresses are reached
 * otherwise. The way to everywhere else is none of them. Addresses are in the host's byte order, little-endian on all that
 * we run on.
 */
export const parseRoutes = (text: string): Route[] => text.split('\n').slice(1).flatMap(routeOf)

function routeOf(line: string): Route[] {
  const [device = '', destination = '', , , , , , mask = ''] = line.trim().split(/\s+/)
  const range = rangeOf(dotted(destination), dotted(mask))
  return range === undefined || range.prefix === 0 ? [] : [{ device, range }]
}

const dotted = (hex: string): string =>
  /^[0-9A-F]{8}$/i.test(hex) ? [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.') : ''
