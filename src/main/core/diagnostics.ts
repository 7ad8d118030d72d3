import { release } from 'node:os'
import { join } from 'node:path'
import { shorten } from '../../shared/safe-text.ts'
import type { Failure } from '../../shared/failure.ts'
import type { HostPolicies } from '../../shared/views/policy-view.ts'
import type { HostView, VmView } from '../../shared/views/host-view.ts'
import type { JobView } from '../../shared/views/job-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import type { LiveCore } from './live/live-core.ts'
import { scrubber, type Names } from './scrub.ts'
import { readSmallFile } from './settings/small-file.ts'

const LAST_ERRORS = 200
const LONGEST_ERROR_LINE = 2000
const LARGEST_LOG_BYTES = 16 << 20
const LAST_JOBS = 50
const MOST_VMS = 200
const MOST_DISKS = 8
const MOST_POLICIES = 100
/** Of each part of the file; hosts have the same of it each. */
const MOST_CHARACTERS = 64 << 10
/** Of the line of a host: for the list, and how many are not on it. */
const ROOM_FOR_COUNT = 60
const LONGEST_WORD = 60

/**
 * What a maintainer needs to understand a problem: versions, states, the last jobs and errors. What is in it is chosen field
 * by field, and none of that is a text of a host. Errors are texts: names, addresses, paths and what could be a secret go.
 */
export function diagnostics(live: LiveCore, version: string): { fileName: string; text: string } {
  const seen: Seen = {
    hosts: live.hosts.all.value ?? [],
    jobs: live.jobs.all.value ?? [],
    policies: live.policies.all.value?.hosts ?? []
  }
  const numbers = numbersOf(seen)
  const scrub = scrubberOf(live, seen, numbers)
  const tell = { ...numbers, wordOf: (text: unknown) => wordOf(text, scrub) }
  const text = [
    `Stillpoint ${version}, Node ${process.version}, ${process.platform} ${release()} ${process.arch}`,
    'Left out: names, addresses, users, paths of stores and images, notes and reasons, commands of hooks. Hosts, VMs and schedules have numbers.',
    part('Hosts', () => seen.hosts.map((host) => hostLine(host, tell, MOST_CHARACTERS / seen.hosts.length))),
    part('Schedules', () =>
      seen.policies.map((host) => policiesLine(host, tell, MOST_CHARACTERS / seen.policies.length))
    ),
    part('Choices', () => [JSON.stringify(choicesFields(live.choices.value))]),
    part('Last jobs', () => listed(seen.jobs, LAST_JOBS, (job) => JSON.stringify(jobFields(job, tell)))),
    part('Last errors', () => lastErrors(join(live.core.folder, 'errors.log'), scrub))
  ].join('\n\n')
  return { fileName: 'stillpoint-diagnostics.txt', text }
}

/** Where it is not known what must not be told, no text is. */
function scrubberOf(live: LiveCore, seen: Seen, numbers: Numbers): (text: string) => string {
  try {
    return scrubber(namesOf(live, seen, numbers))
  } catch {
    return () => '(left out: it is not known which names are in it)'
  }
}

interface Seen {
  readonly hosts: readonly HostView[]
  readonly jobs: readonly JobView[]
  readonly policies: readonly HostPolicies[]
}

/** One that cannot be written is said in its place: the others are what they are for. */
function part(title: string, lines: () => readonly string[]): string {
  try {
    return [title, ...within(MOST_CHARACTERS, lines())].join('\n')
  } catch (error) {
    return `${title}\n(left out: ${error instanceof Error ? error.name : 'it could not be read'})`
  }
}

function within(characters: number, lines: readonly string[]): readonly string[] {
  let room = characters
  const kept = lines.filter(({ length }) => (room -= length + 1) >= 0)
  return kept.length === lines.length ? kept : [...kept, `(left out: ${lines.length - kept.length} more lines)`]
}

function listed<T>(all: readonly T[], most: number, line: (each: T) => string): readonly string[] {
  const lines = all.slice(0, most).map(line)
  return all.length <= most ? lines : [...lines, `(left out: ${all.length - most} more)`]
}

/** No more are looked at than there is room for: a host with much to tell takes nothing of the others' room. */
function firstOf<T>(
  all: readonly T[],
  most: number,
  characters: number,
  fieldsOf: (each: T) => object
): readonly object[] {
  const first: object[] = []
  let room = characters
  for (const each of all.slice(0, most)) {
    const fields = fieldsOf(each)
    room -= JSON.stringify(fields).length + 1
    if (room < 0) break
    first.push(fields)
  }
  return first
}

/** Which host, VM and schedule is which, by what nobody else can read. */
interface Numbers {
  readonly hosts: ReadonlyMap<string, string>
  readonly vms: ReadonlyMap<string, string>
  readonly policies: ReadonlyMap<string, string>
}

interface Telling extends Numbers {
  /** A word that a host has said, as far as it may be shown. */
  readonly wordOf: (text: unknown) => string | undefined
}

function numbersOf({ hosts, jobs, policies }: Seen): Numbers {
  const vms = [
    ...hosts.flatMap((host) => host.vms.map(({ uuid }) => keyOf(host.name, uuid))),
    ...jobs.map(({ host, vm }) => keyOf(host, vm.uuid))
  ]
  const schedules = [
    ...policies.flatMap((each) => each.policies.map(({ policy }) => keyOf(each.host, policy.id))),
    ...jobs.flatMap(({ host, policy }) => (policy === undefined ? [] : [keyOf(host, policy.id)]))
  ]
  const names = [hosts, jobs.map(({ host }) => ({ name: host })), policies.map(({ host }) => ({ name: host }))]
  return {
    hosts: numbered(
      'host',
      names.flat().map(({ name }) => name)
    ),
    vms: numbered('vm', vms),
    policies: numbered('schedule', schedules)
  }
}

const keyOf = (host: string, id: string): string => JSON.stringify([host, id])
const numbered = (what: string, keys: readonly string[]): ReadonlyMap<string, string> =>
  new Map([...new Set(keys)].map((key, n) => [key, `${what}-${n + 1}`]))

function hostLine(host: HostView, tell: Telling, room: number): string {
  const { state, asOf, failure, facts, placing, vms } = host
  const about = {
    host: tell.hosts.get(host.name),
    state,
    asOf,
    failure: failure && failureFields(failure, tell),
    placing: placing?.what,
    facts: facts && {
      os: tell.wordOf(facts.os),
      architecture: tell.wordOf(facts.architecture),
      libvirt: tell.wordOf(facts.libvirt),
      qemu: tell.wordOf(facts.qemu),
      cpus: facts.cpus,
      memoryBytes: facts.memoryBytes,
      freeMemoryBytes: facts.freeMemoryBytes,
      load: facts.load,
      storeFreeBytes: facts.store?.freeBytes,
      storeTotalBytes: facts.store?.totalBytes,
      sessionVms: facts.sessionVms?.length,
      limits: facts.limits?.length
    }
  }
  const left = room - JSON.stringify(about).length - ROOM_FOR_COUNT
  const first = firstOf(vms, MOST_VMS, left, (vm) => vmFields(host.name, vm, tell))
  return JSON.stringify({
    ...about,
    vms: first,
    ...(vms.length > first.length && { vmsLeftOut: vms.length - first.length })
  })
}

const vmFields = (
  host: string,
  { uuid, state, agent, autostart, disks, limits }: VmView,
  { vms, wordOf }: Telling
): object => ({
  vm: vms.get(keyOf(host, uuid)),
  state: wordOf(state),
  agent,
  autostart,
  disks: disks
    .slice(0, MOST_DISKS)
    .map(({ device, type, format }) => [device, type, format].map((word) => wordOf(word)).join(' ')),
  ...(disks.length > MOST_DISKS && { disksLeftOut: disks.length - MOST_DISKS }),
  limits: limits?.length
})

function policiesLine(seen: HostPolicies, numbers: Telling, room: number): string {
  const { host, asOf, reachable, policies, broken, outbox } = seen
  const about = {
    host: numbers.hosts.get(host),
    asOf,
    reachable,
    broken: broken.length,
    outbox: outbox.length
  }
  const left = room - JSON.stringify(about).length - ROOM_FOR_COUNT
  const first = firstOf(policies, MOST_POLICIES, left, ({ policy, nextRunAt, lastRun, problem }) => ({
    schedule: numbers.policies.get(keyOf(host, policy.id)),
    nextRunAt,
    lastRun: lastRun?.state,
    hasProblem: problem !== undefined
  }))
  return JSON.stringify({
    ...about,
    schedules: first,
    ...(policies.length > first.length && { schedulesLeftOut: policies.length - first.length })
  })
}

/** Which VMs they are is nobody else's business. */
function choicesFields(choices: Choices | undefined): object {
  if (choices === undefined) return {}
  const { defaultStore, muted, acknowledged, ...rest } = choices
  const { notifySuccess, notifyFailure, startAtLogin, onClose, appearance } = rest
  const { defaultBudgetMs, defaultOnBusy, expectEveryHours } = rest
  return {
    ...{ notifySuccess, notifyFailure, startAtLogin, onClose, appearance },
    ...{ defaultBudgetMs, defaultOnBusy, expectEveryHours },
    hasDefaultStore: defaultStore !== undefined,
    muted: muted.length,
    acknowledged: acknowledged.length
  }
}

function jobFields(job: JobView, tell: Telling): object {
  const { id, kind, host, vm, policy, state, startedAt, endedAt, method, mode, sizeBytes, pauseMs, runningMs } = job
  return {
    ...{ id, kind, state, startedAt, endedAt, method, mode, sizeBytes, pauseMs, runningMs },
    host: tell.hosts.get(host),
    vm: tell.vms.get(keyOf(host, vm.uuid)),
    schedule: policy && tell.policies.get(keyOf(host, policy.id)),
    isCopy: job.copyOf !== undefined,
    good: job.verify?.good,
    retryable: job.retryable,
    phases: job.phases.slice(0, 40).map(({ phase, ms }) => [tell.wordOf(phase), ms]),
    pauses: job.pauses.length,
    warnings: job.warnings.length,
    failure: job.failure && failureFields(job.failure, tell)
  }
}

/** Its kind, and those of its words that name a part of Stillpoint or of the system and nothing of the operator's. */
function failureFields(failure: Failure, { wordOf }: Telling): object {
  const { kind } = failure
  const fields = { code: undefined, step: undefined, tool: undefined, reference: undefined, ...failure }
  const { code, step, tool, reference } = fields
  return { kind, code: wordOf(code), step: wordOf(step), tool: wordOf(tool), reference: wordOf(reference) }
}

/** A version, a state, a step: short, and without a name, should there be one where a host says its state. */
function wordOf(text: unknown, scrub: (text: string) => string): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.length <= LONGEST_WORD && /^[\w .:()+/-]*$/.test(text) ? scrub(text) : '(unusual)'
}

function namesOf(live: LiveCore, { hosts, jobs, policies }: Seen, numbers: Numbers): Names {
  const names = new Map<string, string>()
  const add = (instead: string, ...all: readonly (string | undefined)[]): void =>
    all.forEach((name) => name !== undefined && names.set(name, instead))
  const { places, hosts: records } = live.core.settings.read()
  places.forEach(({ dir }) => add('(store)', dir))
  records.forEach(({ identityFile }) => add('(file)', identityFile))
  for (const { host, policies: schedules, broken, channels } of policies) {
    textsIn(channels).forEach((text) => add('(channel)', text))
    schedules.forEach(({ policy }) => {
      add('(store)', policy.store)
      add('(hook)', policy.hooks?.before?.command, policy.hooks?.after?.command)
      add(numbers.policies.get(keyOf(host, policy.id)) ?? 'schedule', policy.name)
    })
    broken.forEach(({ path }) => add('(path)', path))
  }
  for (const { host, vm, copyOf, policy, store } of jobs) {
    add('(store)', store)
    add(numbers.policies.get(keyOf(host, policy?.id ?? '')) ?? 'schedule', policy?.name)
    add(numbers.vms.get(keyOf(host, vm.uuid)) ?? 'vm', vm.name, vm.uuid)
    add('(another vm)', copyOf?.name, copyOf?.uuid)
  }
  for (const { name, address, user, facts, vms } of hosts) {
    facts?.sessionVms?.forEach((vm) => {
      add('(user)', vm.user)
      add('(vm of a user)', vm.name)
    })
    add('(store)', facts?.store?.path)
    add('(user)', user)
    vms.forEach((vm) => add(numbers.vms.get(keyOf(name, vm.uuid)) ?? 'vm', vm.name, vm.uuid))
    add(numbers.hosts.get(name) ?? 'host', facts?.hostname, address, name)
  }
  return names
}

/** Servers, addresses and users of a host's channels, one by one where there are several in a list. */
const textsIn = (channels: HostPolicies['channels']): readonly string[] =>
  Object.values({ ...channels.mail, ...channels.webhook })
    .flat()
    .filter((value) => typeof value === 'string')

function lastErrors(path: string, scrub: (text: string) => string): readonly string[] {
  const lines = (readSmallFile(path, LARGEST_LOG_BYTES) ?? '').trimEnd().split('\n').slice(-LAST_ERRORS)
  // The newest are kept where not all of them can be.
  const kept = within(MOST_CHARACTERS, lines.map((line) => shorten(line, LONGEST_ERROR_LINE)).toReversed()).toReversed()
  return scrub(kept.join('\n')).split('\n')
}
