import { describe, expect, it } from 'vitest'
import { lostAtBoots } from '../../chaos/judge.ts'
import { afterHostFault, expectedWorld, isAsBefore, restoredWorld, worldAt } from '../../chaos/outcome.ts'
import type { Scene } from '../../chaos/plan.ts'
import { Random } from '../../chaos/random.ts'
import { TRAITS, VM_KINDS } from '../../chaos/vms.ts'
import { ACT_KINDS, afterAct, canAct, worldOf, type ActKind, type World } from '../../chaos/world.ts'

const acted = (acts: readonly ActKind[], vm = 'plain' as const): World => {
  let world: World = worldOf(vm)
  for (const act of acts) world = afterAct(act, world, 'overlay')
  return world
}
const DISK = { kind: 'backup', method: 'disk' } as const
const replace = (phase: 'untouched' | 'restored'): Scene => ({
  vm: 'plain',
  job: { kind: 'replace', mode: 'boot' },
  moment: { point: 'stage', phase },
  acts: [],
  ending: 'release'
})

describe('what an owner wants of a VM', () => {
  it('is that it stays off, once it was shut off or destroyed', () => {
    expect(acted(['shutdown']).power).toBe('off')
    expect(acted(['destroy']).power).toBe('off')
    expect(acted(['shutdown', 'start'])).toMatchObject({ power: 'running', boot: 'any' })
  })

  it('is that it runs again where its host or its QEMU ended it, if libvirt still knows it', () => {
    expect(acted(['qemu-killed'])).toMatchObject({ power: 'running', boot: 'any' })
    expect(afterAct('qemu-killed', worldOf('transient'), 'overlay')).toMatchObject({ power: 'off', isDefined: false })
    expect(afterHostFault(acted(['shutdown']), 'power-cut', DISK).power).toBe('off')
    expect(afterHostFault(worldOf('plain'), 'libvirtd-killed', DISK)).toEqual(worldOf('plain'))
  })

  it('is not that a VM which no job is about, or which was off when that began, is started after a fault', () => {
    const copied = worldAt({ kind: 'copy', mode: 'boot' }, 'plain', 'untouched')
    expect(afterHostFault(copied, 'power-cut', { kind: 'copy', mode: 'boot' }).power).toBe('off')
    expect(afterAct('qemu-killed', copied, 'untouched').power).toBe('off')
    const started = afterAct('start', worldOf('off'), 'copying')
    expect(afterHostFault(started, 'power-cut', { kind: 'backup', method: 'offline' }).power).toBe('off')
    expect(afterHostFault(worldOf('plain'), 'power-cut', { kind: 'policy' })).toMatchObject({
      power: 'running',
      mayAlso: 'off'
    })
  })

  it('is that one which stands in a file of ours is there again, also where libvirt knows none', () => {
    const classic = { kind: 'backup', method: 'classic' } as const
    const transient = worldOf('transient')
    expect(afterHostFault(transient, 'power-cut', classic, 'in-file')).toEqual(transient)
    expect(afterHostFault(transient, 'power-cut', classic, 'suspended').power).toBe('off')
    expect(afterHostFault(worldOf('plain'), 'power-cut', classic, 'in-file')).toMatchObject({ power: 'running' })
  })

  it('keeps the checkpoint of a VM that runs and was undefined, to its end', () => {
    const left = afterAct('undefine', afterAct('others-checkpoint', worldOf('plain'), 'overlay'), 'overlay')
    expect(left).toMatchObject({ isDefined: false, checkpoint: true })
    expect(afterAct('destroy', left, 'overlay').checkpoint).toBe(false)
    expect(afterHostFault(left, 'power-cut', DISK).checkpoint).toBe(false)
  })

  it('knows disks and media that are there for this run only', () => {
    const attached = acted(['attach-live'])
    expect(attached).toMatchObject({ live: ['vda', 'vdc'], next: ['vda'] })
    expect(afterHostFault(attached, 'power-cut', DISK)).toMatchObject({ live: ['vda'], next: ['vda'] })
    const ejected = afterAct('media-eject', worldOf('media'), 'overlay')
    expect(ejected).not.toHaveProperty('liveMedium')
    expect(afterHostFault(ejected, 'power-cut', DISK)).toMatchObject({ liveMedium: 'first' })
  })

  it('asks for a person only where overlays of ours are in others’ hands', () => {
    for (const act of ['save', 'migrate', 'snapshot-inside', 'snapshot-beside'] as const) {
      expect(afterAct(act, worldOf('shared'), 'overlay').needsPerson, act).toBe(true)
      expect(afterAct(act, worldOf('shared'), 'after').needsPerson, act).toBe(false)
    }
  })

  it('is as before only if nothing can be told apart', () => {
    for (const vm of VM_KINDS) expect(isAsBefore(vm, worldOf(vm)), vm).toBe(true)
    const neutral: readonly ActKind[] = [
      'reboot',
      'resume',
      'resume-ours',
      'commit-by-hand',
      'abort-mirror',
      'others-backup'
    ]
    for (const vm of VM_KINDS)
      for (const act of ACT_KINDS.filter((kind) => canAct(kind, worldOf(vm), vm, 'overlay'))) {
        const isBack = neutral.includes(act) || (act === 'qemu-killed' && TRAITS[vm].isDefined)
        expect(isAsBefore(vm, afterAct(act, worldOf(vm), 'overlay')), `${act} of ${vm}`).toBe(isBack)
      }
  })
})

describe('a restore', () => {
  it('that is done has put another VM there; one that is not has put back what its owner wanted', () => {
    const off = acted(['shutdown'])
    expect(expectedWorld(replace('untouched'), off, 'done')).toEqual(restoredWorld('plain', 'boot'))
    expect(expectedWorld(replace('untouched'), off, 'failed-clean')).toMatchObject({ power: 'off' })
    expect(expectedWorld(replace('untouched'), worldOf('plain'), undefined)).toMatchObject({
      power: 'running',
      boot: 'any'
    })
  })

  it('is finished once its VM has started, whatever its owner does with it then', () => {
    const off = afterAct('shutdown', restoredWorld('plain', 'boot'), 'restored')
    expect(expectedWorld(replace('restored'), off, 'done-with-warnings')).toMatchObject({ power: 'off' })
  })

  it('may leave a VM off whose QEMU dies between its last look and its last word', () => {
    const scene: Scene = {
      ...replace('restored'),
      moment: { point: 'settle.done', phase: 'restored' },
      acts: ['qemu-killed']
    }
    const again = afterAct('qemu-killed', restoredWorld('plain', 'boot'), 'restored')
    expect(expectedWorld(scene, again, 'done')).toMatchObject({ power: 'running', mayAlso: 'off' })
    expect(expectedWorld(scene, again, 'failed-clean')).not.toHaveProperty('mayAlso')
    expect(expectedWorld(replace('restored'), again, 'done')).not.toHaveProperty('mayAlso')
  })
})

describe('a log of boots', () => {
  const boot = (id: string, tick: number, state = 'CLEAN'): string =>
    `BOOT ${id} 0.50\nFS vda ${state}\nDISK vda ${tick}\n`
  const tick = (counter: number, id: string): string => `TICK ${counter} 1.00 ${id}\n`

  it('shows nothing lost where each boot finds what was printed before', () => {
    const log =
      boot('aaaaaaaa', 0) + tick(1, 'aaaaaaaa') + tick(2, 'aaaaaaaa') + boot('bbbbbbbb', 3) + tick(4, 'bbbbbbbb')
    expect(lostAtBoots(log, ['vda'])).toEqual([])
  })

  it('shows ticks that a disk has lost, and a file system that was damaged', () => {
    const log = boot('aaaaaaaa', 0) + tick(1, 'aaaaaaaa') + tick(2, 'aaaaaaaa') + boot('bbbbbbbb', 1, 'DAMAGED')
    expect(lostAtBoots(log, ['vda'])).toEqual(['its file system on vda was damaged', 'ticks 2 to 2 are lost from vda'])
    expect(lostAtBoots(log, [])).toEqual([])
  })

  it('shows nothing lost from a disk that its owner took off before, and nothing else', () => {
    const log =
      boot('aaaaaaaa', 0) + tick(1, 'aaaaaaaa') + tick(2, 'aaaaaaaa') + boot('bbbbbbbb', 1).replaceAll('vda', 'vdb')
    expect(lostAtBoots(log, ['vdb'], 1)).toEqual([])
    expect(lostAtBoots(log, ['vdb'], 2)).toEqual(['ticks 2 to 2 are lost from vdb'])
  })
})

describe('random numbers', () => {
  it('are the same for the same words, and within their bounds', () => {
    const numbers = (...words: (string | number)[]): number[] => {
      const random = new Random(...words)
      return Array.from({ length: 1000 }, () => random.int(10))
    }
    expect(numbers(1, 'a')).toEqual(numbers(1, 'a'))
    expect(numbers(1, 'a')).not.toEqual(numbers(1, 'b'))
    expect([...new Set(numbers(7))].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('fall on words as often as their weights say, and never on one of no weight', () => {
    const random = new Random('weights')
    const fallen = Array.from({ length: 2000 }, () => random.weighted({ never: 0, seldom: 1, often: 9 }))
    expect(fallen).not.toContain('never')
    const often = fallen.filter((word) => word === 'often').length
    expect(often).toBeGreaterThan(1600)
    expect(often).toBeLessThan(2000)
  })
})
