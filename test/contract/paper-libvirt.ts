import { readFileSync } from 'node:fs'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { fakeShell, type FakeAnswer } from '../../src/shell/fake.ts'
import { localShell } from '../../src/shell/local.ts'
import type { Shell } from '../../src/shared/shell.ts'

interface Below {
  readonly source: string
  readonly node: string
  readonly below?: Below
}

export interface PaperDisk {
  readonly target: string
  readonly source: string
  /** libvirt's number for it, and what is below it. Only where it runs. */
  readonly node?: string
  readonly below?: Below
  /** It is said to have nothing below it. */
  readonly isLast?: true
  /** Of libvirt's secrets, the one that its image is encrypted with. */
  readonly secret?: string
}

/** One VM as libvirt tells of it. A test changes it between two looks. */
export interface PaperVm {
  readonly uuid: string
  readonly name: string
  state: string
  reason: string
  live: readonly PaperDisk[]
  defined: readonly PaperDisk[]
  /** The number of an operation that libvirt is busy with. */
  operation?: number
  /** A disk that an active commit is ready to leave its overlay for. */
  ready?: string | undefined
  /** What that writes to, as libvirt tells it. */
  readyInto?: string
  /** By UUID, in base64. */
  secrets?: Map<string, string>
  /** By UUID, what each is for. */
  usages?: ReadonlyMap<string, string>
  /** What becomes of the VM when it is told to. Default: it runs on the image below, and starts with that. */
  onPivot?: () => void
}

/** virsh for one VM, on paper; every other program is the real one. `asked` are the commands in their order. */
export function paperLibvirt(vm: PaperVm): Shell & { readonly asked: readonly string[] } {
  const asked: string[] = []
  const real = localShell()
  const paper = fakeShell(({ argv }): FakeAnswer => {
    const [, first = '', ...rest] = argv
    if (rest.length > 0 || !first.includes('; echo')) return answer(vm, asked, argv.slice(1))
    const mark = /echo (mark-[\w-]+)/.exec(first)?.[1] ?? ''
    const answers = first
      .split('; ')
      .filter((command) => !command.startsWith('echo '))
      .map((command) => answer(vm, asked, wordsOf(command)))
    return {
      stdout: answers.map(({ stdout = '' }) => `${stdout}${mark}\n`).join(''),
      stderr: answers.map(({ stderr = '' }) => `${stderr}error: ${mark}\n`).join('')
    }
  })
  return {
    label: 'paper',
    asked,
    run: (argv, options) => (argv[0] === 'virsh' ? paper.run(argv, options) : real.run(argv, options))
  }
}

const wordsOf = (command: string): string[] => command.split(' ').map((word) => word.replace(/^'(.*)'$/, '$1'))

interface Said {
  readonly exitCode?: number
  readonly stdout?: string
  readonly stderr?: string
}

function answer(vm: PaperVm, asked: string[], words: readonly string[]): Said {
  asked.push(words.join(' '))
  const [command = ''] = words
  switch (command) {
    case 'list':
      return { stdout: `${vm.uuid} ${vm.name}\n` }
    case 'domstate':
      return { stdout: `${vm.state} (${vm.reason})\n\n` }
    case 'dominfo':
      return { stdout: 'Persistent:     yes\nAutostart:      disable\nManaged save:   no\n' }
    case 'dumpxml':
      return { stdout: xmlOf(vm, words.includes('--inactive') ? vm.defined : vm.live) }
    case 'domjobinfo':
      return { stdout: vm.operation === undefined ? 'Job type: 0\n' : `Job type: 2\noperation: ${vm.operation}\n` }
    case 'define':
      vm.defined = parseDomain(readFileSync(words[1] ?? '', 'utf8')).disks.map(({ target, source = '', isLast }) => ({
        target,
        source,
        ...(isLast && { isLast })
      }))
      return { stdout: '' }
    case 'start':
      vm.state = 'running'
      vm.reason = 'booted'
      return { stdout: '' }
    case 'blockcommit':
      return beginCommit(vm, words)
    case 'blockjob':
      return { stdout: words.includes('--pivot') ? pivot(vm) : vm.ready === undefined ? '' : COMMITTING }
    case 'snapshot-list':
      return { stdout: '\n' }
    case 'secret-define':
      return { stdout: '' }
    case 'secret-set-value':
      vm.secrets?.set(words[1] ?? '', readFileSync(words[3] ?? '', 'utf8'))
      return { stdout: '' }
    case 'secret-list':
      return { stdout: [...(vm.secrets?.keys() ?? [])].map((uuid) => ` ${uuid}   ${usageOf(vm, uuid)}\n`).join('') }
    case 'secret-get-value':
      return secretOf(vm, words[1] ?? '')
    case 'secret-undefine':
      return vm.secrets?.delete(words[1] ?? '') === true ? { stdout: '' } : unknownSecret(words[1])
    default:
      return { exitCode: 1, stderr: `error: not on paper: ${words.join(' ')}\n` }
  }
}

const usageOf = ({ usages }: PaperVm, uuid: string): string =>
  usages?.has(uuid) === true ? `volume ${usages.get(uuid)}` : 'Unused'

function secretOf({ secrets }: PaperVm, uuid: string): Said {
  const stdout = secrets?.get(uuid)
  return stdout === undefined ? unknownSecret(uuid) : { stdout: `${stdout}\n` }
}

const unknownSecret = (uuid = ''): Said => ({
  exitCode: 1,
  stderr: `error: failed to get secret '${uuid}'\nerror: Secret not found: no secret with matching uuid '${uuid}'\n`
})

const COMMITTING = ' type=Active Block Commit\n bandwidth=0\n cur=1\n end=1\n'

function beginCommit(vm: PaperVm, [, , target, ...flags]: readonly string[]): Said {
  const top = flags.includes('--top') ? flags[flags.indexOf('--top') + 1] : undefined
  if (top !== undefined && vm.live.find((disk) => disk.target === target)?.source !== top)
    return { exitCode: 1, stderr: `error: invalid argument: could not find image '${top}' in chain\n` }
  vm.ready = target
  return { stdout: '' }
}

function pivot(vm: PaperVm): string {
  const below = vm.live.map((disk) => ({ ...disk, ...disk.below }))
  vm.ready = undefined
  if (vm.onPivot === undefined)
    vm.live = vm.defined = below.map(({ target, source, node = '' }) => ({ target, source, node }))
  else vm.onPivot()
  return ''
}

const xmlOf = ({ uuid, name, ready, readyInto }: PaperVm, disks: readonly PaperDisk[]): string =>
  `<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><os><type>hvm</type></os><devices>${disks.map((disk) => diskXml(disk, ready, readyInto)).join('')}</devices></domain>`

function diskXml({ target, source, node, below, isLast, secret }: PaperDisk, ready?: string, into?: string): string {
  const backing = below === undefined ? (isLast ? '<backingStore/>' : '') : backingXml(below)
  const index = node === undefined ? '' : ` index='${node}'`
  return `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${source}'${index}>${secret === undefined ? '' : `<encryption format='luks'><secret type='passphrase' uuid='${secret}'/></encryption>`}</source>${backing}${target === ready ? mirrorXml(into) : ''}<target dev='${target}' bus='virtio'/></disk>`
}

const mirrorXml = (into?: string): string =>
  `<mirror type='file' job='active-commit' ready='yes'>${into === undefined ? '' : `<source file='${into}'/>`}</mirror>`

const backingXml = ({ source, node, below }: Below): string =>
  `<backingStore type='file' index='${node}'><format type='qcow2'/><source file='${source}'/>${below === undefined ? '<backingStore/>' : backingXml(below)}</backingStore>`
