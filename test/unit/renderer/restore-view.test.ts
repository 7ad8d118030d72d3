import { describe, expect, it } from 'vitest'
import { groupsOf, isToBeHad, suggested } from '../../../src/renderer/features/restore/point-groups.ts'
import {
  decisionsFor,
  flagFor,
  withDecision,
  withoutDecision,
  type Decision
} from '../../../src/renderer/features/restore/decisions.ts'
import {
  findingText,
  noRamText,
  notAskedText,
  remarksOf,
  sentenceOf
} from '../../../src/renderer/features/restore/restore-text.ts'
import {
  chosenOf,
  draftFor,
  keyOf,
  lineFor,
  nameProblem,
  questionOf,
  replacedBy,
  sourceOf,
  verdictOf,
  type Chosen,
  type RestoreDraft
} from '../../../src/renderer/features/restore/restore-view.ts'
import type { HostView, VmView } from '../../../src/shared/views/host-view.ts'
import type { PlaceView, PointView } from '../../../src/shared/views/point-view.ts'

const uuid = (n: number): string => `0000000${n}-0000-4000-8000-000000000001`
const place = (host: string, reachable = true): PlaceView => ({
  kind: 'host',
  host,
  dir: '/var/lib/stillpoint/points',
  label: host,
  reachable
})
const aPoint = (more: Partial<PointView> = {}): PointView => ({
  id: '20261122T201744Z-7f3a21',
  vm: { uuid: uuid(1), name: 'web1' },
  host: 'alpha',
  takenAt: '2026-11-22T20:17:44.000Z',
  method: 'live',
  hasMemory: true,
  disks: [{ target: 'vda', source: '/images/web1.qcow2' }],
  sizeBytes: 1.2 * 1024 ** 3,
  pauseMs: 48,
  warnings: [],
  places: [place('alpha')],
  marks: { pinned: false },
  ...more
})
const aVm = (more: Partial<VmView> = {}): VmView => ({
  uuid: uuid(1),
  name: 'web1',
  state: 'running',
  ramBytes: 1,
  vcpus: 1,
  autostart: false,
  agent: 'absent',
  disks: [],
  ...more
})
const aHost = (name: string, more: Partial<HostView> = {}): HostView => ({
  name,
  address: name,
  addedAt: '2026-01-01T00:00:00.000Z',
  state: 'up',
  vms: [],
  ...more
})
const choose = (draft: Partial<RestoreDraft>, hosts: readonly HostView[], points = [aPoint()]): Chosen =>
  chosenOf({ ...draftFor(points[0]?.id), ...draft }, hosts, points)
const [alpha, beta] = [aHost('alpha', { vms: [aVm()] }), aHost('beta')]

describe('points to choose from', () => {
  const older = aPoint({
    id: 'older',
    takenAt: '2026-11-20T20:00:00.000Z',
    marks: { pinned: true, note: 'Before upgrade' }
  })
  const mail = aPoint({ id: 'mail', vm: { uuid: uuid(2), name: 'mail' }, host: 'beta' })

  it('come by VM, in the order of names, newest first', () => {
    const groups = groupsOf([older, aPoint(), mail], '')
    expect(groups.map(({ name, points }) => [name, points.length])).toEqual([
      ['mail', 1],
      ['web1', 2]
    ])
    expect(groups[1]?.points[0]?.id).toBe(aPoint().id)
  })

  it('are found by VM, host, note and id', () => {
    const found = (search: string): string[] =>
      groupsOf([older, aPoint(), mail], search).flatMap(({ points }) => points.map(({ id }) => id))
    expect(found(' WEB ')).toHaveLength(2)
    expect(found('beta')).toEqual(['mail'])
    expect(found('upgrade')).toEqual(['older'])
    expect(found(uuid(2))).toEqual(['mail'])
    expect(found('7f3a21')).toEqual([aPoint().id])
    expect(found('nothing')).toEqual([])
  })

  it('suggest the newest that is to be had and not known to be damaged', () => {
    const silent = aPoint({ id: 'silent', takenAt: '2026-11-24T00:00:00.000Z', places: [place('gone', false)] })
    const verified = { at: '2026-11-23T01:00:00.000Z', good: false }
    const damaged = aPoint({ id: 'damaged', takenAt: '2026-11-23T00:00:00.000Z', marks: { pinned: false, verified } })
    const [group] = groupsOf([older, damaged, silent], '')
    expect(isToBeHad(silent)).toBe(false)
    expect(group && suggested(group)?.id).toBe('older')
    const [onlyDamaged] = groupsOf([damaged, silent], '')
    expect(onlyDamaged && suggested(onlyDamaged)?.id).toBe('damaged')
  })
})

describe('what is suggested when only a point was said', () => {
  it('is its own host, and going on where it was', () => {
    expect(choose({}, [beta, alpha])).toMatchObject({ host: { name: 'alpha' }, mode: 'resume' })
  })

  it('is a host that has the point where its own is down, else any that is up', () => {
    const down = aHost('alpha', { state: 'down' })
    const copied = aPoint({ places: [place('alpha', false), place('gamma')] })
    expect(choose({}, [down, beta, aHost('gamma')], [copied]).host?.name).toBe('gamma')
    expect(choose({}, [down, beta]).host?.name).toBe('beta')
    expect(choose({}, [down]).host).toBeUndefined()
  })

  it('is a start from the disks where the point holds no RAM, whatever was chosen before', () => {
    const disksOnly = [aPoint({ hasMemory: false })]
    expect(choose({ mode: 'resume' }, [alpha], disksOnly).mode).toBe('boot')
    expect(choose({ mode: 'define' }, [alpha], disksOnly).mode).toBe('define')
  })

  it('is a name for a copy that nobody has there', () => {
    const taken = aHost('alpha', { vms: [aVm(), aVm({ name: 'web1-copy' }), aVm({ name: 'web1-copy-2' })] })
    expect(choose({ mode: 'copy' }, [alpha]).newName).toBe('web1-copy')
    expect(choose({ mode: 'copy' }, [taken]).newName).toBe('web1-copy-3')
  })
})

describe('why a VM cannot go on where it was', () => {
  it('is that there is no RAM, or that only a copy that is to be named has it', () => {
    const disksOnly = aPoint({ hasMemory: false })
    expect(noRamText(disksOnly)).toContain('holds no RAM')
    const places = [
      { ...place('alpha'), hasMemory: false },
      { ...place('a b'), hasMemory: true }
    ]
    expect(noRamText({ ...disksOnly, places })).toContain(
      `a b says to have it with RAM. If you trust that, type in a terminal: stillpoint restore 'a b/${disksOnly.id}' --mode resume --to HOST`
    )
  })
})

describe('the question to the host', () => {
  it('is whole only when point, host and how are known', () => {
    expect(questionOf(choose({}, [alpha]))).toEqual({ point: aPoint().id, to: 'alpha', mode: 'resume', replace: true })
    expect(questionOf(choose({}, []))).toBeUndefined()
    expect(questionOf(choose({ point: 'unknown' }, [alpha]))).toBeUndefined()
    expect(questionOf(choose({ to: 'alpha' }, [aHost('alpha', { state: 'down' })]))).toBeUndefined()
    expect(questionOf(choose({}, [alpha], [aPoint({ places: [place('gamma', false)] })]))).toBeUndefined()
  })

  it('carries name and start of a copy, which replaces nothing', () => {
    const copy = choose({ mode: 'copy', newName: 'trial', start: false }, [alpha])
    expect(questionOf(copy)).toMatchObject({ mode: 'copy', newName: 'trial', start: false, replace: false })
    expect(questionOf(choose({ mode: 'copy', newName: 'web1' }, [alpha]))).toBeUndefined()
  })

  it('has a key that changes with it', () => {
    const of = (draft: Partial<RestoreDraft>): string => keyOf(questionOf(choose(draft, [alpha, beta])))
    expect(of({})).toBe(of({ search: 'x' }))
    expect(new Set([of({}), of({ to: 'beta' }), of({ mode: 'boot' }), of({ mode: 'copy' })]).size).toBe(4)
  })

  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['x'.repeat(201), 'too-long'],
    ['web1', 'taken'],
    ['a/b', 'line'],
    ['a\nb', 'line'],
    ['$(trial) 🙂', undefined]
  ])('a copy named %j: %s', (name, problem) => expect(nameProblem(name, alpha)).toBe(problem))
})

describe('what is said before it begins', () => {
  const view = { items: [], bytesToMove: 0 }

  it('names what has to make way, as the host found it or as it was last seen', () => {
    const named = { name: 'web1-new', uuid: uuid(1) }
    expect(replacedBy(choose({}, [alpha]), { ...view, replaces: named })).toEqual(named)
    expect(replacedBy(choose({}, [alpha]), view)?.name).toBe('web1')
    expect(replacedBy(choose({ to: 'beta' }, [alpha, beta]), view)).toBeUndefined()
    expect(replacedBy(choose({ mode: 'copy' }, [alpha]), view)).toBeUndefined()
  })

  it('says what comes from where', () => {
    const hosts = [alpha, beta]
    const chosen = choose({ to: 'beta' }, hosts)
    expect(sourceOf(aPoint(), 'beta')?.label).toBe('alpha')
    expect(remarksOf(chosen, { ...view, bytesToMove: 1.2 * 1024 ** 3 })[0]).toBe('1.2 GiB come from alpha first.')
    expect(remarksOf(choose({ mode: 'copy' }, hosts), view)).toEqual([])
  })

  it('is one sentence with point, host and how', () => {
    expect(sentenceOf(choose({}, [alpha]))).toMatch(/^web1 as it was at .*: it goes on where it was, on alpha\.$/)
    expect(sentenceOf(choose({ mode: 'copy', newName: 'trial' }, [alpha]))).toContain('beside it as trial')
    expect(sentenceOf(choose({}, []))).toBe('')
  })

  it('carries what is allowed to the point, and nothing where nothing is', () => {
    const decisions = [{ kind: 'allow', item: 'read=/a' } as const]
    expect(questionOf(choose({ decisions }, [alpha]))).toMatchObject({ allow: ['read=/a'] })
    expect(questionOf(choose({}, [alpha]))).not.toHaveProperty('allow')
  })

  it('says why the host was not asked', () => {
    expect(notAskedText(choose({}, [alpha], [aPoint({ places: [place('gamma', false)] })]))).toContain('No store')
    expect(notAskedText(choose({ mode: 'copy', newName: '' }, [alpha]))).toContain('name')
    expect(notAskedText(choose({ to: 'alpha' }, [aHost('alpha', { state: 'down' })]))).toContain(
      'alpha does not answer'
    )
  })

  it('blocks on a problem and only on that', () => {
    const item = (state: 'ok' | 'warning' | 'problem') => ({ check: 'room', state, text: '' })
    expect(verdictOf({ ...view, items: [item('ok')] })).toBe('ready')
    expect(verdictOf({ ...view, items: [item('ok'), item('warning')] })).toBe('warned')
    expect(verdictOf({ ...view, items: [item('warning'), item('problem')] })).toBe('blocked')
  })
})

describe('what can be said to what a host found', () => {
  const toDefault = {
    label: 'put its cards on network default',
    choice: { kind: 'map-network', from: 'lan', to: 'default' }
  } as const
  const unplugged = {
    label: 'leave its cards unplugged',
    choice: { kind: 'map-network', from: 'lan', to: 'none' }
  } as const
  const ports = { label: 'let libvirt choose its ports', choice: { kind: 'auto-ports' } } as const
  const chosen = (offer: (Decision & { kind: 'choose' })['offer']): Decision => ({ kind: 'choose', offer })
  const allowed: Decision = { kind: 'allow', item: 'read=/srv/my iso' }
  const attached: Decision = { kind: 'attach', disk: 'vdb' }
  const forgotten: Decision = { kind: 'forget' }
  const hosts = [alpha, beta]

  it('is what it offers, what it asks a yes for, and what was chosen before, each with its argument', () => {
    const found = { check: 'networks', state: 'problem', text: 'network lan does not exist here' } as const
    const all = decisionsFor({
      ...found,
      choices: [toDefault, unplugged],
      allow: 'read=/srv/my iso',
      attach: 'vdb',
      remembered: true
    })
    expect(all).toEqual([chosen(toDefault), chosen(unplugged), allowed, attached, forgotten])
    expect(all.map(flagFor)).toEqual([
      '--map-network lan=default',
      '--map-network lan=none',
      "--allow 'read=/srv/my iso'",
      '--attach vdb',
      '--no-remembered'
    ])
    expect(decisionsFor(found)).toEqual([])
  })

  it('is asked with, and changes the question', () => {
    const decisions = [chosen(ports), allowed, attached, forgotten]
    const question = questionOf(choose({ to: 'beta', decisions }, hosts))
    const plain = questionOf(choose({ to: 'beta' }, hosts))
    expect(question).toEqual({
      ...plain,
      choices: [{ kind: 'auto-ports' }],
      allow: ['read=/srv/my iso'],
      attachDisks: ['vdb'],
      remembered: false
    })
    expect(keyOf(question)).not.toBe(keyOf(plain))
    for (const name of ['choices', 'allow', 'attachDisks', 'remembered']) expect(plain).not.toHaveProperty(name)
  })

  it('takes the place of what was said about the same thing, and can be taken back', () => {
    const before = [chosen(toDefault), chosen(ports), allowed]
    expect(withDecision(before, chosen(unplugged))).toEqual([chosen(ports), allowed, chosen(unplugged)])
    expect(withDecision(before, allowed)).toEqual(before)
    expect(withDecision([], forgotten)).toEqual([forgotten])
    expect(withoutDecision(before, chosen(ports))).toEqual([chosen(toDefault), allowed])
  })

  it('is the line for the terminal, which replaces a VM only where there is one', () => {
    const question = questionOf(choose({ to: 'beta', decisions: [chosen(toDefault), allowed, forgotten] }, hosts))
    const copy = questionOf(choose({ mode: 'copy', newName: 'trial', start: false }, hosts))
    const line = `stillpoint restore ${aPoint().id} --to`
    expect(question && lineFor(question, undefined)).toBe(
      `${line} beta --mode resume --allow 'read=/srv/my iso' --no-remembered --map-network lan=default`
    )
    expect(question && lineFor(question, { name: 'web1', uuid: uuid(1) })).toContain(' --replace ')
    expect(copy && lineFor(copy, undefined)).toBe(`${line} alpha --mode copy --name trial --no-start`)
  })

  it.each([
    ['network lan does not exist here', 'Network lan does not exist here.'],
    ['its RAM is 4 GiB', 'Its RAM is 4 GiB.'],
    ['network-1 is busy', 'network-1 is busy.'],
    ['web1 is busy with a backup', 'web1 is busy with a backup.'],
    ['pc-q35-7.2 is known here', 'pc-q35-7.2 is known here.'],
    ['It is so.', 'It is so.']
  ])('is said as a sentence, and names stay as they are: %s', (text, said) => expect(findingText(text)).toBe(said))
})
