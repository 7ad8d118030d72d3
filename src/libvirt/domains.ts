import { fail } from '../shared/failure.ts'
import type { DomainState } from '../shared/model/host.ts'
import { Uuid } from '../shared/model/ids.ts'
import type { RunOptions, Shell } from '../shared/shell.ts'
import { commandFailed, saysUnknownDomain, virsh } from './virsh.ts'

/** What starting and stopping a QEMU may take on a busy host. */
const CHANGE_TIMEOUT_MS = 120_000

export interface StateAndReason {
  readonly state: DomainState
  /** libvirt's words: `booted`, `user`, `saved`, `I/O error`... Empty if it gives none. */
  readonly reason: string
}

/** State as libvirt reports it, or undefined if the host does not know this domain. */
export async function domainState(shell: Shell, uuid: Uuid): Promise<StateAndReason | undefined> {
  const result = await virsh(shell, ['domstate', uuid, '--reason'], { expect: [0, 1] }) // 1: no such domain, or no libvirt
  if (result.exitCode === 0) return parseState(result.stdout)
  return saysUnknownDomain(result.stderr) ? undefined : commandFailed(`virsh domstate ${uuid}`, result)
}

const STATES: readonly string[] = [
  'no state',
  'running',
  'idle',
  'paused',
  'in shutdown',
  'shut off',
  'crashed',
  'pmsuspended'
] satisfies DomainState[]

export const isDomainState = (text: string): text is DomainState => STATES.includes(text)

/** `paused (user)` as `domstate --reason` prints it. */
export function parseState(text: string): StateAndReason {
  const match = /^([a-z ]+?)(?: \((.*)\))?$/.exec(text.trim())
  const state = match?.[1] ?? ''
  if (isDomainState(state)) return { state, reason: match?.[2] ?? '' }
  return fail({ kind: 'bad-output', what: 'virsh domstate', detail: text.slice(0, 200) })
}

/** Definition of the domain as it runs, or as it would start next. `securityInfo` includes passwords: to define it again. */
export async function domainXml(
  shell: Shell,
  uuid: Uuid,
  options: { readonly inactive?: boolean; readonly securityInfo?: boolean } & Pick<RunOptions, 'maxOutputBytes'> = {}
): Promise<string> {
  const { inactive = false, securityInfo = false, ...limit } = options
  const flags = [...(inactive ? ['--inactive'] : []), ...(securityInfo ? ['--security-info'] : [])]
  const { stdout } = await virsh(shell, ['dumpxml', uuid, ...flags], limit)
  return stdout.trim()
}

/** Defines or redefines a domain from an XML file on the host. A running domain of its UUID keeps running. */
export async function defineDomain(shell: Shell, xmlPath: string): Promise<void> {
  await virsh(shell, ['define', xmlPath])
}

/** Starts a transient domain from an XML file on the host. */
export async function createDomain(
  shell: Shell,
  xmlPath: string,
  options: { readonly paused?: boolean } = {}
): Promise<void> {
  await virsh(shell, ['create', xmlPath, ...(options.paused === true ? ['--paused'] : [])], {
    timeoutMs: CHANGE_TIMEOUT_MS
  })
}

export interface UndefineOptions {
  /** Remove the firmware's variables and the TPM's state with it. Default: they stay. */
  readonly removeFirmwareState?: boolean
  /** Refuse, rather than remove libvirt's managed save image with it. Default: it goes. */
  readonly keepManagedSave?: boolean
  /** Refuse, rather than forget snapshots and checkpoints. Default: they are forgotten; images stay as they are. */
  readonly keepSnapshots?: boolean
}

/** Takes the definition away; disks stay where they are. A running domain goes on as a transient one. */
export async function undefineDomain(shell: Shell, uuid: Uuid, options: UndefineOptions = {}): Promise<void> {
  await virsh(shell, [
    'undefine',
    uuid,
    // One of each pair has to be named where there is such state; neither does harm where there is none.
    ...(options.removeFirmwareState === true ? ['--nvram', '--tpm'] : ['--keep-nvram', '--keep-tpm']),
    ...(options.keepManagedSave === true ? [] : ['--managed-save']),
    ...(options.keepSnapshots === true ? [] : ['--snapshots-metadata', '--checkpoints-metadata'])
  ])
}

/** Starts a shut off domain; from its managed save image if there is one. */
export async function startDomain(
  shell: Shell,
  uuid: Uuid,
  options: { readonly paused?: boolean } = {}
): Promise<void> {
  await virsh(shell, ['start', uuid, ...(options.paused === true ? ['--paused'] : [])], {
    timeoutMs: CHANGE_TIMEOUT_MS
  })
}

/** Pulls the plug. `graceful`: only if QEMU ends on TERM, so that it can write out what it holds; else it fails. */
export async function destroyDomain(
  shell: Shell,
  uuid: Uuid,
  options: { readonly graceful?: boolean } = {}
): Promise<void> {
  await virsh(shell, ['destroy', uuid, ...(options.graceful === true ? ['--graceful'] : [])], {
    timeoutMs: CHANGE_TIMEOUT_MS
  })
}

/** Stops the guest's CPUs. Answers its state, and does nothing, where they stood already: that pause is another's. */
export async function suspendDomain(shell: Shell, uuid: Uuid): Promise<StateAndReason | undefined> {
  const now = await domainState(shell, uuid)
  if (now?.state === 'paused') return now
  await virsh(shell, ['suspend', uuid])
  return undefined
}

/** Lets the guest's CPUs run. No error if they do already, for instance because the owner was faster. */
export async function resumeDomain(shell: Shell, uuid: Uuid): Promise<void> {
  const result = await virsh(shell, ['resume', uuid], { expect: [0, 1], timeoutMs: CHANGE_TIMEOUT_MS }) // 1: runs already
  if (result.exitCode === 0 || /domain is already running/.test(result.stderr)) return
  commandFailed(`virsh resume ${uuid}`, result)
}

export async function setAutostart(shell: Shell, uuid: Uuid, enabled: boolean): Promise<void> {
  await virsh(shell, ['autostart', uuid, ...(enabled ? [] : ['--disable'])])
}

export interface DomainInfo {
  readonly persistent: boolean
  readonly autostart: boolean
  readonly managedSave: boolean
}

export async function domainInfo(shell: Shell, uuid: Uuid): Promise<DomainInfo> {
  const { stdout } = await virsh(shell, ['dominfo', uuid])
  return parseDomainInfo(stdout)
}

/** The last line of each name counts: the domain's own name comes before them all. */
export function parseDomainInfo(text: string): DomainInfo {
  const lines = `\n${text}`
  const value = (label: string): string | undefined => {
    const at = lines.lastIndexOf(`\n${label}:`)
    return at === -1 ? undefined : /^[ \t]+(.*)/.exec(lines.slice(at + label.length + 2))?.[1]?.trim()
  }
  const persistent = value('Persistent')
  if (persistent === undefined) fail({ kind: 'bad-output', what: 'virsh dominfo', detail: text.slice(0, 200) })
  return {
    persistent: persistent === 'yes',
    autostart: value('Autostart') === 'enable',
    managedSave: value('Managed save') === 'yes'
  }
}

export interface NamedDomain {
  readonly uuid: Uuid
  readonly name: string
}

/** All domains, running or not. */
export async function listNamedDomains(shell: Shell): Promise<NamedDomain[]> {
  const { stdout } = await virsh(shell, ['list', '--all', '--uuid', '--name'])
  return parseNamedDomains(stdout)
}

/** A UUID, a blank and the name as it is, which may hold and end in blanks. */
export function parseNamedDomains(text: string): NamedDomain[] {
  return text.split('\n').flatMap((line) => {
    const uuid = Uuid.safeParse(line.slice(0, 36))
    return uuid.success && line[36] === ' ' ? [{ uuid: uuid.data, name: line.slice(37) }] : []
  })
}

export const listDomains = async (shell: Shell): Promise<Uuid[]> =>
  (await listNamedDomains(shell)).map(({ uuid }) => uuid)

/**
 * The domain of exactly this name. Looked up in the list, since virsh would take a name such as `1` for an ID and one
 * that looks like a UUID for a UUID.
 */
export async function domainByName(shell: Shell, name: string): Promise<Uuid | undefined> {
  return (await listNamedDomains(shell)).find((domain) => domain.name === name)?.uuid
}
