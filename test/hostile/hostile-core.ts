import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { History } from '../../src/main/core/settings/history.ts'
import type { Settings } from '../../src/main/core/settings/settings-schema.ts'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import { StillpointError, type Failure } from '../../src/shared/failure.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { PolicyState } from '../../src/shared/views/policy-view.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { policy, done, failed, run } from '../unit/tell/told-things.ts'
import { FILES, manifestOf, POINT, VM } from '../unit/store-points.ts'

export const JOB = '20261122T201744Z-51c0de'
export const POLICY = 'a1b2c3d4e5f6'

const at = '2026-11-22T20:17:44.000Z'
const later = '2026-11-22T20:27:44.000Z'

/** A host that says `text` wherever an answer of its engine, its libvirt or a program of it has room for words. */
export function hostileCore(text: string, state: JobReport['state'] = 'done-with-warnings'): Core {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-names-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const answers = answersOf(text, state)
  const call = (verb: EngineVerb, _: unknown, more?: { onEvent?: (event: unknown) => void }): Promise<unknown> => {
    const { events = [], result, failure } = answers[verb] ?? {}
    for (const event of events) more?.onEvent?.(engineVerbs[verb].event.parse(event))
    return failure === undefined
      ? Promise.resolve(engineVerbs[verb].result.parse(result))
      : Promise.reject(new StillpointError(failure))
  }
  const shell = fakeShell(({ argv }) => inventoryOf(argv.at(-1) ?? '', text))
  const hosts = ['evil', 'silent'].map((name) => ({ name, address: '192.0.2.1', addedAt: at }))
  const settings: Settings = { version: 1, hosts, places: [] }
  const gone: Failure = { kind: 'host-unreachable', host: 'silent', reason: text }
  const of = <T>(host: string, value: T): Promise<T> =>
    host === 'evil' ? Promise.resolve(value) : Promise.reject(new StillpointError(gone))
  const connections = {
    engine: (host: string) => of(host, { call }),
    connection: (host: string) => of(host, { shell, state: 'open' }),
    connected: () => Promise.resolve(undefined),
    drop: () => Promise.resolve()
  }
  return {
    folder,
    settings: { read: () => settings, update: () => settings, notices: [text] },
    history: new History(join(folder, 'history.jsonl')),
    connections,
    close: () => Promise.resolve()
  } as unknown as Core
}

interface Answer {
  readonly events?: readonly unknown[]
  readonly result?: unknown
  readonly failure?: Failure
}

function answersOf(text: string, state: JobReport['state']): Partial<Record<EngineVerb, Answer>> {
  const manifest = manifestOf(FILES, {
    vm: { uuid: VM, name: text },
    host: { name: `host ${text}`.slice(0, 250), machineId: 'f'.repeat(32) },
    methodReason: text,
    excludedDisks: [text.slice(0, 32)],
    versions: { libvirt: text.slice(0, 60), qemu: text.slice(0, 60), engine: text.slice(0, 60) },
    pauses: [{ phase: text.slice(0, 60), startedAt: at, endedAt: later, ms: 12, source: 'clock' }],
    warnings: [text]
  })
  const report: JobReport = {
    id: JOB,
    kind: 'backup',
    host: 'evil',
    vm: { uuid: VM, name: text },
    state,
    startedAt: at,
    endedAt: later,
    point: POINT,
    methodReason: text,
    method: 'live',
    copyOf: { uuid: VM, name: text },
    pauses: [],
    pauseMs: 12,
    phases: [{ phase: text, startedAt: at, ms: 9 }],
    keptAside: [text],
    warnings: [text],
    ...(state.startsWith('failed') && {
      failure: { kind: 'command-failed', command: text, exitCode: 1, stderr: `${text}\n${text}` } as const
    })
  }
  const told = run([done(1, text), failed(2, text, text)], {
    policy: { id: POLICY, name: text.slice(0, 100) },
    host: 'evil',
    reason: text,
    warnings: [text],
    missed: [{ at, reason: text }],
    missedCount: 1,
    pruned: { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [text] },
    told: [{ channel: 'mail', ok: false, text }]
  })
  const states: PolicyState = {
    // Names of schedules hold no control characters by their schema.
    policy: policy({ id: POLICY, hostName: 'evil', excludeDisks: [text.slice(0, 32)], store: `/${text}` }),
    lastRun: told,
    problem: text
  }
  const mail = { server: text, port: 25, security: 'none', user: text, from: text, to: [text], hasPassword: true }
  const waits = { id: 'x', channel: 'mail', subject: text, at, tries: 1, lastError: text }
  const entry = (n: number, more: object): object => ({ n, at, ...more })
  const follow = [
    entry(0, { type: 'warning', text }),
    entry(1, { type: 'note', text }),
    entry(2, { type: 'step', step: text }),
    entry(3, { type: 'progress', progress: { phase: text, doneBytes: 1, totalBytes: 4 } }),
    entry(4, { type: 'pause', pause: { phase: text, startedAt: at, endedAt: later, ms: 4, source: 'clock' } })
  ]
  const checks = [
    { check: text, state: 'problem', text, fix: text, allow: text.slice(0, 300) },
    { check: text, state: 'warning', text, choices: [{ label: text, choice: { kind: 'drop', device: text } }] }
  ]
  const points = {
    points: [manifest],
    broken: [{ path: `/${text}`, reason: text }],
    marks: { [POINT]: { pinned: true, note: text } }
  }
  return {
    submit: { result: { id: JOB } },
    follow: { events: follow, result: report },
    cancel: { result: report },
    jobs: { result: [report] },
    runs: { result: [told] },
    points: { result: points },
    verify: {
      events: [{ phase: text, doneBytes: 1, totalBytes: 4 }],
      result: { point: POINT, good: false, checkedBytes: 9, problems: [{ file: text, detail: text }], notes: [text] }
    },
    delete: { failure: { kind: 'io', path: text, code: text, detail: text } },
    mark: { result: { pinned: true, note: text } },
    'read-small': { failure: { kind: 'not-found', what: 'point', name: text } },
    preflight: { result: checks },
    policies: {
      result: {
        policies: [states],
        broken: [{ path: text, reason: text }],
        timeZone: text,
        parallel: 1,
        channels: { mail },
        outbox: [waits]
      }
    },
    'policy-remove': { result: { removed: [text] } },
    'policy-run': { result: { run: told.id } },
    'policy-put': { failure: { kind: 'bad-output', what: text, detail: text } },
    'prune-plan': {
      result: {
        vms: [{ vm: { uuid: VM, name: text }, points: [fate(text)], refused: text }],
        freesBytes: 1,
        refused: text,
        trash: { points: 0, bytes: 0 }
      }
    },
    'channels-put': { failure: { kind: 'not-told', channel: 'mail', detail: text, fix: text } },
    'channels-test': { result: { text } },
    doctor: { result: [{ kind: text, what: text, remedy: text, repaired: false }] },
    'let-go': { result: { removed: [text], freedBytes: 1, kept: [{ path: text, because: text, isInNoPoint: true }] } },
    'remove-all': { result: { removed: [text] } },
    probe: { failure: { kind: 'foreign-work', vm: text, detail: text } }
  }
}

const fate = (text: string): object => ({
  id: POINT,
  takenAt: at,
  sizeBytes: 1,
  keep: false,
  reasons: [text],
  memory: 'none',
  freesBytes: 1
})

/** What the look at a host prints. Whatever XML cannot hold is its reader's to refuse, so names stand in it as references. */
function inventoryOf(mark: string, text: string): string {
  const xml = `<domain type='kvm'><name>${referred(text)}</name><uuid>${VM}</uuid><memory>1024</memory><devices>
    <disk type='network' device='disk'><source protocol='gluster' name='${referred(text)}'/><target dev='vdb'/></disk></devices></domain>`
  const sections = {
    begin: '',
    hostname: text,
    'list-status': '0',
    list: VM,
    [`state ${VM}`]: 'running (booted)',
    [`info ${VM}`]: `Name: ${text}`,
    [`xml ${VM}`]: xml,
    [`snapshots ${VM}`]: text,
    'session-vms': `${text}\t/home/${text}/.config/libvirt/qemu/x.xml`,
    end: ''
  }
  return Object.entries(sections)
    .map(([name, said]) => `\n${mark} ${name}\n${said}\n`)
    .join('')
}

const referred = (text: string): string =>
  Array.from(text, (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16)};`).join('')
