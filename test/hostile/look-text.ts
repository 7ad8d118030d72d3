import { parseInventory } from '../../src/libvirt/inventory.ts'
import { failureOf, type Failure } from '../../src/shared/failure.ts'

export const MARK = 'mark-x'
export const GOOD = '22222222-2222-4333-8444-555555555555'
export const ODD = '11111111-2222-4333-8444-555555555555'

/** What the script of a look would print, of these sections. */
export const printed = (sections: Readonly<Record<string, string>>, mark = MARK): string =>
  Object.entries(sections)
    .map(([name, text]) => `\n${mark} ${name}\n${text}\n`)
    .join('')

export const definition = (name: string, uuid: string, inside = '<memory>1024</memory><vcpu>2</vcpu>'): string =>
  `<domain type='kvm' id='7'><name>${name}</name><uuid>${uuid}</uuid>${inside}</domain>`

/** Two VMs, the first of which is as the sections say. */
export const twoVms = (sections: Readonly<Record<string, string>>): Record<string, string> => ({
  begin: '',
  version: '',
  list: `${ODD}\n${GOOD}`,
  'list-status': '0',
  [`state ${ODD}`]: 'running (booted)',
  [`info ${ODD}`]: 'Name:           odd\nPersistent:     yes\nAutostart:      disable',
  [`xml ${ODD}`]: definition('odd', ODD),
  ...sections,
  [`state ${GOOD}`]: 'running (booted)',
  [`info ${GOOD}`]: 'Name:           good\nPersistent:     yes\nAutostart:      enable',
  [`xml ${GOOD}`]: definition('good', GOOD),
  end: ''
})

export const look = (text: string): ReturnType<typeof parseInventory> =>
  parseInventory('evil', text, MARK, '2026-11-29T12:00:00.000Z')

export function failureFrom(work: () => unknown): Failure | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

/** All numbers anywhere in it. */
export function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : []
}

export const isSound = (number: number): boolean => number >= 0 && number <= Number.MAX_SAFE_INTEGER
