import type { Element } from '@xmldom/xmldom'
import { editDomain, insertElement } from './domain-xml-edit.ts'
import { attribute, childAt, childrenOf, elementsIn, parseXml } from './xml.ts'
import { bytesOf } from './sizes.ts'

/** Where on its host a VM is to run: nothing of it can be seen in the guest. */
export interface Placement {
  /** Processors of the host that something is pinned to. */
  readonly processors: readonly number[]
  /** Memory nodes of the host. */
  readonly nodes: readonly number[]
  /** Sizes in KiB of the huge pages that its RAM is made of; 0: those that the host has. Empty: none. */
  readonly hugePagesKiB: readonly number[]
}

const PINNED = ['vcpupin', 'emulatorpin', 'iothreadpin'] as const

const rootOf = (xml: string): Element | undefined => parseXml(xml, 'domain XML').documentElement ?? undefined

export function placementIn(xml: string): Placement {
  const root = rootOf(xml)
  const cputune = childAt(root, 'cputune')
  const sets = [
    attribute(childAt(root, 'vcpu'), 'cpuset'),
    ...PINNED.flatMap((name) => childrenOf(cputune, name).map((pin) => attribute(pin, 'cpuset')))
  ]
  const nodes = elementsIn(childAt(root, 'numatune')).map((each) => attribute(each, 'nodeset'))
  return { processors: numbersOf(sets), nodes: numbersOf(nodes), hugePagesKiB: hugePageSizes(root) }
}

const numbersOf = (sets: readonly (string | undefined)[]): number[] =>
  [...new Set(sets.flatMap((set) => (set === undefined ? [] : rangeNumbers(set))))].sort((a, b) => a - b)

/** More than any host has. */
const MOST = 65_536

/** `0-3,8,^2`, as the kernel and libvirt write sets. */
export function rangeNumbers(text: string): number[] {
  const numbers = new Set<number>()
  let left = 16 * MOST // so many of its ranges may name the whole of a host again
  for (const part of text.trim().split(',')) {
    const [, isNot, first, last = first] = /^\s*(\^?)(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part) ?? []
    for (let n = Number(first); n <= Math.min(Number(last), MOST) && left-- > 0; n++)
      if (isNot === '^') numbers.delete(n)
      else numbers.add(n)
  }
  return [...numbers]
}

const hugePages = (root: Element | undefined): Element[] => childrenOf(childAt(root, 'memoryBacking'), 'hugepages')

function hugePageSizes(root: Element | undefined): number[] {
  return hugePages(root).flatMap((all) => {
    const pages = childrenOf(all, 'page')
    if (pages.length === 0) return [0]
    return pages.map((page) => bytesOf(attribute(page, 'size'), attribute(page, 'unit')) / 1024)
  })
}

/** Pins of processors and memory nodes go; the host's scheduler decides. How often a VM may run stays. */
export function withoutPins(xml: string): string {
  return editDomain(xml, (root) => {
    childAt(root, 'vcpu')?.removeAttribute('cpuset')
    const cputune = childAt(root, 'cputune')
    for (const name of PINNED) for (const pin of childrenOf(cputune, name)) cputune?.removeChild(pin)
    for (const numatune of childrenOf(root, 'numatune')) root.removeChild(numatune)
  })
}

/** RAM is made of ordinary pages. */
export function withoutHugePages(xml: string): string {
  return editDomain(xml, (root) => {
    const backing = childAt(root, 'memoryBacking')
    for (const pages of hugePages(root)) backing?.removeChild(pages)
  })
}

/** RAM of another size, for a VM that boots. Undefined: it is spread over nodes, or can be added to, and says so elsewhere. */
export function withMemory(xml: string, mib: number): string | undefined {
  const found = rootOf(xml)
  if (childAt(found, 'cpu', 'numa') !== undefined || childAt(found, 'maxMemory') !== undefined) return undefined
  return editDomain(xml, (root) => {
    for (const name of ['memory', 'currentMemory']) {
      const element = childAt(root, name) ?? insertElement(root, name, childAt(root, 'vcpu'))
      element.setAttribute('unit', 'MiB')
      element.textContent = String(mib)
    }
  })
}
