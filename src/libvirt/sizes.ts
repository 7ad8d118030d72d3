import { exact, wholeNumber } from './numbers.ts'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['bytes', 1],
  ['k', 2 ** 10],
  ['KiB', 2 ** 10],
  ['KB', 1e3],
  ['M', 2 ** 20],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['G', 2 ** 30],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['T', 2 ** 40],
  ['TiB', 2 ** 40],
  ['TB', 1e12]
])

/** A size as libvirt's XML says it: a number, and a unit that is KiB where none is named. What is no number is 0. */
export const bytesOf = (text: string | undefined, unit: string | undefined): number =>
  exact(wholeNumber(text, 0) * (UNITS.get(unit ?? 'KiB') ?? 2 ** 10))
