import { readFile } from 'node:fs/promises'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { fakeShell, type FakeShell } from '../../src/shell/fake.ts'

/** A VM of a host on paper. */
export interface PaperVm {
  /** What it starts with next. */
  next: string
  /** What it runs with. Undefined: it is off. */
  live?: string | undefined
  /** It runs, and its CPUs stand still. */
  paused?: boolean
  /** It runs, and has no definition that lasts. */
  transient?: boolean
  /** The number of an operation that libvirt is busy with, for so many looks. */
  busy?: { readonly operation: number; looks: number }
  /** So many times libvirt refuses to boot it. */
  cannotStart?: number
  /** libvirt refuses to load its RAM from a file. */
  cannotRestore?: boolean
  /** libvirt is busy with it for longer than it lets one wait. */
  cannotResume?: boolean
  /** So many times it goes on only to stop again at its next write: its disk has no room. */
  full?: number
  /** Names of those that libvirt has records of. */
  snapshots?: readonly string[]
  /** Why it is in the state that it is in, in libvirt's words. */
  reason?: string
}

export interface PaperLibvirt {
  readonly shell: FakeShell
  /** By UUID. */
  readonly vms: Map<string, PaperVm>
}

/** A libvirt that knows VMs by their definitions, starts and stops them, and forgets them: no disk is opened by anybody. */
export function paperLibvirt(vms: Readonly<Record<string, PaperVm>> = {}): PaperLibvirt {
  const known = new Map(Object.entries(vms).map(([uuid, vm]) => [uuid, { ...vm }]))
  const shell = fakeShell(({ argv: [program, verb = '', ...rest] }) => {
    if (program === 'qemu-img') return JSON.stringify({ required: 1 })
    if (program !== 'virsh') return ''
    return verb.includes('; echo ') ? batch(known, verb) : answer(known, verb, rest)
  })
  return { shell, vms: known }
}

interface Said {
  readonly exitCode?: number
  readonly stdout?: string
  readonly stderr?: string
}

/** Several commands in one, each with marks behind it. */
async function batch(vms: Map<string, PaperVm>, text: string): Promise<Said> {
  let stdout = ''
  let stderr = ''
  for (const [, words = '', mark = ''] of text.matchAll(/(?:^|; )(\w[^;]*); echo ([\w-]+); echo --err [\w-]+/g)) {
    const [verb = '', ...rest] = words.split(' ')
    const answered = await answer(vms, verb, rest)
    const said = typeof answered === 'string' ? { stdout: answered } : answered
    stdout += `${said.stdout ?? ''}\n${mark}\n`
    stderr += `${said.stderr ?? ''}\nerror: ${mark}\n`
  }
  return { stdout, stderr }
}

const OF_THE_HOST = /capabilities$|^cpu|^hypervisor|^net-/

const refusal = (stderr: string): Said => ({ exitCode: 1, stderr: `error: ${stderr}` })

async function answer(
  vms: Map<string, PaperVm>,
  verb: string,
  [subject = '', ...flags]: readonly string[]
): Promise<Said | string> {
  if (verb === 'list') return [...vms].map(([uuid, { next }]) => `${uuid} ${parseDomain(next).name}\n`).join('')
  if (verb === 'restore' && [...vms.values()].some(({ cannotRestore }) => cannotRestore))
    return refusal('no such device')
  if (verb === 'define') return define(vms, await readFile(subject, 'utf8'))
  if (verb === 'create') return create(vms, await readFile(subject, 'utf8'))
  if (verb === 'version') return 'Using library: libvirt 11.3.0\nRunning hypervisor: QEMU 10.0.2\n'
  if (OF_THE_HOST.test(verb)) return ''
  const vm = vms.get(subject)
  if (vm === undefined) return refusal(`failed to get domain '${subject}'\nerror: Domain not found`)
  if (verb === 'domstate') return `${stateOf(vm)} (${vm.reason ?? 'unknown'})`
  if (verb === 'dominfo')
    return `Persistent:     ${vm.transient === true ? 'no' : 'yes'}\nAutostart:      disable\nManaged save:   no`
  if (verb === 'dumpxml') return flags.includes('--inactive') ? vm.next : (vm.live ?? vm.next)
  if (verb === 'domjobinfo' && vm.busy !== undefined && vm.busy.looks-- > 0)
    return `Job type:         2\noperation: ${vm.busy.operation}\n`
  if (verb === 'domjobinfo')
    return vm.live === undefined
      ? refusal('Requested operation is not valid: domain is not running')
      : 'Job type:         0\n'
  if (verb === 'snapshot-list') return (vm.snapshots ?? []).map((name) => `${name}\n`).join('')
  if (verb === 'snapshot-dumpxml') return `<domainsnapshot><name>${flags[0] ?? ''}</name></domainsnapshot>`
  if (verb === 'undefine') return undefine(vms, subject, vm, flags)
  if (verb === 'start' && (vm.cannotStart ?? 0) > 0) {
    vm.cannotStart = (vm.cannotStart ?? 0) - 1
    return refusal('cannot start it')
  }
  if (verb === 'start') Object.assign(vm, { live: vm.next, reason: 'booted', paused: flags.includes('--paused') })
  if (verb === 'resume' && vm.cannotResume === true) return refusal('cannot acquire state change lock')
  if (verb === 'resume' && stateOf(vm) === 'running') return refusal('domain is already running')
  if (verb === 'resume') resume(vm)
  if (verb === 'destroy') Object.assign(vm, { live: undefined, reason: 'destroyed' })
  return ''
}

function resume(vm: PaperVm): void {
  const isFull = (vm.full ?? 0) > 0
  Object.assign(vm, {
    reason: isFull ? 'I/O error' : 'unpaused',
    paused: isFull,
    full: isFull ? (vm.full ?? 0) - 1 : 0
  })
}

const stateOf = ({ live, paused }: PaperVm): string =>
  live === undefined ? 'shut off' : paused === true ? 'paused' : 'running'

function define(vms: Map<string, PaperVm>, next: string): string {
  const { uuid } = parseDomain(next)
  vms.set(uuid, { ...vms.get(uuid), next, transient: false })
  return ''
}

function create(vms: Map<string, PaperVm>, live: string): string {
  const { uuid } = parseDomain(live)
  const known = vms.get(uuid)
  vms.set(uuid, { transient: known === undefined, next: live, ...known, live, reason: 'booted' })
  return ''
}

/** One that runs goes on without a definition. */
function undefine(vms: Map<string, PaperVm>, uuid: string, vm: PaperVm, flags: readonly string[]): Said | string {
  if ((vm.snapshots ?? []).length > 0 && vm.live === undefined && !flags.includes('--snapshots-metadata'))
    return refusal('cannot delete inactive domain with snapshots')
  if (vm.live === undefined) vms.delete(uuid)
  else vm.transient = true
  return ''
}
