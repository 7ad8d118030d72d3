import { describe, expect, it } from 'vitest'
import { fits, JOBS, jobName, momentsOf, type Phase } from '../../chaos/jobs.ts'
import { phaseOfActs, worldAt } from '../../chaos/outcome.ts'
import {
  ENDINGS,
  HOST_FAULTS,
  namesIn,
  planRound,
  ROOM_FAULTS,
  SIDE_KINDS,
  type RoundPlan,
  type Scene
} from '../../chaos/plan.ts'
import { VM_KINDS } from '../../chaos/vms.ts'
import { ACT_KINDS, afterAct, canAct } from '../../chaos/world.ts'

const ROUNDS = 200
const SEEDS = [1, 2, 3]
const roundsOf = (seed: number, count = ROUNDS): RoundPlan[] =>
  Array.from({ length: count }, (_, round) => planRound(seed, round))
const all = SEEDS.flatMap((seed) => roundsOf(seed))
const scenes = all.flatMap(({ hosts }) => hosts.flatMap((host) => host.scenes))
const text = (scene: Scene): string => JSON.stringify(scene)

describe('the plan of a round', () => {
  it('depends on seed and round alone', () => {
    const again = roundsOf(2).reverse().reverse()
    expect(again).toEqual(roundsOf(2))
    expect(planRound(2, 117)).toEqual(again[117])
  })

  it('is another for another seed or round', () => {
    expect(new Set(all.map(({ hosts }) => JSON.stringify(hosts))).size).toBe(all.length)
  })

  it.each(SEEDS)('leaves nothing untried in 200 rounds of seed %i', (seed) => {
    const tried = new Set(roundsOf(seed).flatMap(namesIn))
    const wanted = [
      ...ACT_KINDS,
      ...HOST_FAULTS,
      ...ROOM_FAULTS,
      ...SIDE_KINDS,
      ...ENDINGS,
      ...JOBS.map(jobName),
      ...VM_KINDS.map((vm) => `VM ${vm}`),
      ...PHASES.map((phase) => `phase ${phase}`),
      'killed later',
      'killed in its undo'
    ]
    expect(wanted.filter((name) => !tried.has(name))).toEqual([])
  })

  it('holds jobs at all of their moments', () => {
    const many = roundsOf(9, 3000).flatMap(({ hosts }) => hosts.flatMap((host) => host.scenes))
    const held = new Set(
      many.flatMap(({ job, moment }) => (moment === undefined ? [] : [`${jobName(job)} ${moment.point}`]))
    )
    const moments = JOBS.flatMap((job) =>
      VM_KINDS.filter((vm) => fits(job, vm)).flatMap((vm) =>
        momentsOf(job, vm).map(({ point }) => `${jobName(job)} ${point}`)
      )
    )
    expect([...new Set(moments)].filter((moment) => !held.has(moment))).toEqual([])
  })
})

const PHASES: readonly Phase[] = [
  'before',
  'frozen',
  'overlay',
  'mirrored',
  'suspended',
  'in-file',
  'copying',
  'after',
  'untouched',
  'displaced',
  'restored'
]

describe('what a round asks for makes sense', () => {
  it('no VM has two jobs, and a bystander has none', () => {
    for (const { hosts } of all)
      for (const { scenes, bystander } of hosts) {
        const vms = [...scenes.map(({ vm }) => vm), bystander]
        expect(new Set(vms).size, vms.join()).toBe(vms.length)
      }
  })

  it('jobs fit their VMs', () => {
    expect(scenes.filter(({ job, vm }) => !fits(job, vm)).map(text)).toEqual([])
  })

  it('each act is possible when its turn comes', () => {
    for (const scene of scenes) {
      const { job, vm, moment, acts } = scene
      if (moment === undefined) expect(acts).toEqual([])
      else {
        let world = worldAt(job, vm, moment.phase)
        const phase = phaseOfActs(job, moment.phase)
        for (const act of acts) {
          expect(canAct(act, world, vm, phase), text(scene)).toBe(true)
          world = afterAct(act, world, phase)
        }
      }
    }
  })

  it('a kill comes after the moment at which the job was held, and in an undo only where one is', () => {
    for (const scene of scenes) {
      const { job, vm, moment, ending, laterKill, undoKill } = scene
      const points = momentsOf(job, vm).map(({ point }) => point)
      if (laterKill !== undefined) {
        expect(ending, text(scene)).toBe('release')
        expect(points.indexOf(laterKill), text(scene)).toBeGreaterThan(points.indexOf(moment?.point ?? ''))
      }
      if (undoKill !== undefined) expect(ending !== 'release' || laterKill !== undefined, text(scene)).toBe(true)
    }
  })

  it('room runs out only where somebody writes', () => {
    const full = scenes.filter(({ room }) => room !== undefined)
    expect(full.filter(({ job }) => job.kind !== 'backup' || job.method === 'offline').map(text)).toEqual([])
    expect(full.filter(({ room, vm }) => (room === 'images-full') !== (vm === 'small')).map(text)).toEqual([])
  })

  it('no host loses its power while the other counts on it', () => {
    for (const { hosts } of all) {
      const goesOver = hosts.some(({ scenes }) =>
        scenes.some(
          ({ job, acts, side }) =>
            job.kind === 'elsewhere' || acts.some((act) => act.startsWith('migrate')) || (side ?? '').startsWith('copy')
        )
      )
      if (goesOver) expect(hosts.map(({ fault }) => fault)).not.toContain('power-cut')
    }
  })
})
