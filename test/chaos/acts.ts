import { waitFor } from '../lab/run.ts'
import type { Outcome } from '../lab/run.ts'
import type { LabHost } from '../lab/host.ts'
import { LAB_KEY, OWNERS } from './places.ts'
import { medium, type ChaosVm } from './fleet.ts'
import type { ActKind } from './world.ts'

/** A command of libvirt may wait for a guest on a machine that is busy with others. */
const SLOW = { timeoutMs: 240_000 }

/** Does it. Answers why libvirt refused it, where it did: then nothing has happened. */
export async function act(kind: ActKind, vm: ChaosVm, other: LabHost): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await HANDS[kind](vm, other)
  return exitCode === 0 ? undefined : (stderr + stdout).trim()
}

const virsh = (vm: ChaosVm, ...words: readonly string[]): Promise<Outcome> =>
  vm.host.run(['virsh', '-q', ...words], SLOW)

/** As by {@link virsh}, and what has to have come of it. */
async function andThen(outcome: Promise<Outcome>, until: () => Promise<void>): Promise<Outcome> {
  const done = await outcome
  if (done.exitCode === 0) await until()
  return done
}

const HANDS: Readonly<Record<ActKind, (vm: ChaosVm, other: LabHost) => Promise<Outcome>>> = {
  shutdown: async (vm) => {
    await listens(vm)
    return andThen(virsh(vm, 'shutdown', '--mode', 'acpi', vm.uuid), () => isOff(vm))
  },
  reboot: async (vm) => {
    await listens(vm)
    const boots = vm.guest.boots().length
    await vm.guest.command('reboot')
    await hasBooted(vm, boots)
    return FINE
  },
  destroy: (vm) => virsh(vm, 'destroy', vm.uuid),
  'qemu-killed': (vm) => andThen(vm.host.run(`kill -9 $(cat /run/libvirt/qemu/${vm.name}.pid)`), () => isOff(vm)),
  managedsave: (vm) => virsh(vm, 'managedsave', vm.uuid),
  save: (vm) => virsh(vm, 'save', vm.uuid, vm.saveFile),
  suspend: (vm) => virsh(vm, 'suspend', vm.uuid),
  resume: (vm) => virsh(vm, 'resume', vm.uuid),
  'resume-ours': (vm) => virsh(vm, 'resume', vm.uuid),
  start: (vm) => virsh(vm, 'start', vm.uuid),
  migrate: (vm, other) => migrate(vm, other),
  'migrate-undefine': (vm, other) => migrate(vm, other, '--undefinesource', '--persistent'),
  undefine: (vm) => virsh(vm, 'undefine', vm.uuid, '--checkpoints-metadata'),
  rename: (vm) => virsh(vm, 'domrename', vm.uuid, `${vm.name}-renamed`),
  'attach-live': (vm) => attach(vm, '--live'),
  'attach-config': (vm) => attach(vm, '--config'),
  'attach-both': (vm) => attach(vm, '--live', '--config'),
  'detach-live': (vm) => detach(vm, '--live'),
  'detach-config': (vm) => detach(vm, '--config'),
  'detach-both': (vm) => detach(vm, '--live', '--config'),
  'media-eject': (vm) => virsh(vm, 'change-media', vm.uuid, 'sda', '--eject', '--live', '--force'),
  'media-insert': (vm) => virsh(vm, 'change-media', vm.uuid, 'sda', medium('second'), '--live', '--force'),
  'snapshot-inside': (vm) => virsh(vm, 'snapshot-create-as', vm.uuid, 'theirs'),
  'snapshot-beside': (vm) =>
    virsh(
      vm,
      'snapshot-create-as',
      vm.uuid,
      'theirs',
      '--disk-only',
      '--atomic',
      '--diskspec',
      `vda,file=${vm.snapshotFile}`
    ),
  'commit-by-hand': (vm) => virsh(vm, 'blockcommit', vm.uuid, 'vda', '--active', '--pivot', '--wait'),
  'abort-mirror': (vm) => virsh(vm, 'blockjob', vm.uuid, 'vda', '--abort'),
  'others-backup': (vm) => beginBackup(vm),
  'others-checkpoint': (vm) => virsh(vm, 'checkpoint-create-as', vm.uuid, 'theirs')
}

const FINE: Outcome = { exitCode: 0, stdout: '', stderr: '' }

/** An owner who makes room behind the end of a job lets those go on that stopped for want of it. */
export async function goesOnIfHalted(vm: ChaosVm): Promise<void> {
  const { stdout } = await virsh(vm, 'domstate', '--reason', vm.uuid)
  if (stdout.includes('I/O error')) await virsh(vm, 'resume', vm.uuid)
}

/** What is asked of a guest that still boots is lost; and its last tick may be one of before a restore. */
export async function listens(vm: ChaosVm): Promise<void> {
  const from = vm.logBytes
  const ticks = (): true | undefined => (/^TICK /m.test(vm.logFrom(from)) ? true : undefined)
  await waitFor(`${vm.name} to tick`, ticks, { timeoutMs: SLOW.timeoutMs })
}

async function isOff(vm: ChaosVm): Promise<void> {
  const off = async (): Promise<true | undefined> => {
    const { exitCode, stdout } = await virsh(vm, 'domstate', vm.uuid)
    return exitCode !== 0 || stdout.trim() === 'shut off' ? true : undefined
  }
  await waitFor(`${vm.name} to be off`, off, { timeoutMs: SLOW.timeoutMs })
}

async function hasBooted(vm: ChaosVm, before: number): Promise<void> {
  const booted = (): true | undefined => (vm.guest.boots().length > before ? true : undefined)
  await waitFor(`${vm.name} to boot again`, booted, { timeoutMs: SLOW.timeoutMs })
}

/** Not `--live`: emulated RAM is torn by that on an old QEMU (docs/decisions/0008). */
function migrate(vm: ChaosVm, other: LabHost, ...flags: readonly string[]): Promise<Outcome> {
  const to = `qemu+ssh://root@${other.name}/system?keyfile=${LAB_KEY}&no_verify=1`
  return virsh(vm, 'migrate', '--unsafe', ...flags, vm.uuid, to)
}

async function attach(vm: ChaosVm, ...flags: readonly string[]): Promise<Outcome> {
  const path = vm.image('vdc')
  await vm.host.must(['qemu-img', 'create', '-q', '-f', 'qcow2', path, '16M'])
  return virsh(vm, 'attach-disk', vm.uuid, path, 'vdc', '--subdriver', 'qcow2', '--targetbus', 'virtio', ...flags)
}

async function detach(vm: ChaosVm, ...flags: readonly string[]): Promise<Outcome> {
  const gone = async (): Promise<void> => {
    const still = async (): Promise<true | undefined> =>
      (await virsh(vm, 'domblklist', vm.uuid)).stdout.includes('vdb') ? undefined : true
    if (flags.includes('--live')) await waitFor(`${vm.name} to let go of vdb`, still, { timeoutMs: SLOW.timeoutMs })
  }
  return andThen(virsh(vm, 'detach-disk', vm.uuid, 'vdb', ...flags), gone)
}

/** Another tool's backup, which lasts until that ends it: somebody reads the disks over a socket. */
async function beginBackup(vm: ChaosVm): Promise<Outcome> {
  const xml = `<domainbackup mode='pull'><server transport='unix' socket='/run/chaos-${vm.uuid}.sock'/><disks>
    <disk name='vda' backup='yes' type='file'><scratch file='${OWNERS}/${vm.uuid}.scratch'/></disk>
    </disks></domainbackup>`
  const file = `/run/chaos-${vm.uuid}.xml`
  await vm.host.writeFile(file, xml)
  return virsh(vm, 'backup-begin', vm.uuid, file)
}

/** Ends another tool's backup as that would. False: somebody else has ended it already. */
export async function endOthersBackup(vm: ChaosVm): Promise<boolean> {
  if ((await virsh(vm, 'backup-dumpxml', vm.uuid)).exitCode !== 0) return false
  return (await virsh(vm, 'domjobabort', vm.uuid)).exitCode === 0
}
