import { homedir, release, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Choices } from '../../shared/views/settings-view.ts'
import type { LiveCore } from './live/live-core.ts'
import { readSmallFile } from './settings/small-file.ts'

const LAST_ERRORS = 200
const LARGEST_LOG_BYTES = 16 << 20
const LAST_JOBS = 50

/**
 * What a maintainer needs to understand a problem: versions, states, the last jobs and errors. Scrubbed: no names or
 * addresses of hosts and VMs, no user, no home folder, no keys.
 */
export function diagnostics(live: LiveCore, version: string): { fileName: string; text: string } {
  const hosts = live.hosts.all.value ?? []
  const jobs = (live.jobs.all.value ?? []).slice(0, LAST_JOBS)
  const names = new Map<string, string>()
  hosts.forEach(({ name, address, facts }, n) =>
    [name, address, facts?.hostname].forEach((text) => text !== undefined && names.set(text, `host-${n + 1}`))
  )
  hosts
    .flatMap(({ vms }) => vms)
    .forEach(({ name, uuid }, n) => [name, uuid].forEach((text) => names.set(text, `vm-${n + 1}`)))
  jobs.forEach(({ vm }, n) => !names.has(vm.name) && names.set(vm.name, `vm-of-job-${n + 1}`))
  jobs.forEach(({ policy }) => policy !== undefined && names.set(policy.name, `policy-${policy.id}`))
  const text = [
    `Stillpoint ${version}, Node ${process.version}, ${process.platform} ${release()} ${process.arch}`,
    '',
    'Hosts',
    ...hosts.map(({ name, state, asOf, failure, facts, vms }) =>
      JSON.stringify({
        name,
        state,
        asOf,
        failure: failure?.kind,
        facts,
        vms: vms.map(({ name, state }) => [name, state])
      })
    ),
    '',
    'Choices',
    JSON.stringify({ ...live.choices.value, ...countsIn(live.choices.value) }),
    '',
    'Last jobs',
    ...jobs.map((job) => JSON.stringify(job)),
    '',
    'Last errors',
    ...lastLines(join(live.core.folder, 'errors.log'), LAST_ERRORS)
  ].join('\n')
  return { fileName: 'stillpoint-diagnostics.txt', text: scrub(text, names) }
}

/** Which VMs they are is nobody else's business. */
const countsIn = (choices: Choices | undefined): object => ({
  muted: choices?.muted.length ?? 0,
  acknowledged: choices?.acknowledged.length ?? 0
})

/** Longer names first: one may be part of another. What could be a secret goes whole. */
export function scrub(text: string, names: ReadonlyMap<string, string>): string {
  const known = [...names, [homedir(), '~'] as const, [userInfo().username, 'user'] as const]
    .filter(([name]) => name.length > 1)
    .sort(([a], [b]) => b.length - a.length)
  const replaced = known.reduce(
    (all, [name, instead]) => all.replaceAll(JSON.stringify(name).slice(1, -1), instead),
    text
  )
  return replaced
    .replaceAll(/-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g, '(key)')
    .replaceAll(/\b(?:SHA256:)[A-Za-z0-9+/]{43}=?/g, '(fingerprint)')
    .replaceAll(/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '(address)')
    .replaceAll(/\b[A-Za-z0-9+/_-]{40,}={0,2}/g, '(token)')
}

function lastLines(path: string, count: number): string[] {
  try {
    return (readSmallFile(path, LARGEST_LOG_BYTES) ?? '').trimEnd().split('\n').slice(-count)
  } catch {
    return []
  }
}
