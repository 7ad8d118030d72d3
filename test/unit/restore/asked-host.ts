import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Answers, type Asking } from '../../../src/engine/restore/answers.ts'
import { Checklist } from '../../../src/engine/restore/checklist.ts'
import { Hardware } from '../../../src/engine/restore/hardware.ts'
import { parseDomain } from '../../../src/libvirt/domain-xml.ts'
import type { PreflightItem } from '../../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { flagText } from '../../../src/shared/model/restore-choice.ts'
import { fakeShell, type FakeAnswer, type FakeShell } from '../../../src/shell/fake.ts'

export const VM = '11111111-2222-4333-8444-555555555555'
export const OTHER = '99999999-2222-4333-8444-555555555555'

/** A definition. `more` stands outside of its devices. */
export const guest = (devices: string, more = '', uuid = VM): string =>
  `<domain type='kvm'><name>web</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory>${more}<devices>${devices}</devices></domain>`

export const asking = (...definitions: string[]): Asking[] =>
  definitions.map((xml) => ({ xml, domain: parseDomain(xml) }))

/** What is said of a restore with these choices, and what becomes of its definitions. */
export const answersFor = (spec: Partial<RestoreSpec> = {}): Answers =>
  new Answers({ mode: 'boot', ...spec } as RestoreSpec, new Checklist())

/** `problem: port 1 is taken`, one for each that is not simply in order. */
export const said = ({ list }: Answers): string[] =>
  list.items.filter(({ state }) => state !== 'ok').map(({ state, text }) => `${state}: ${text}`)

export const flags = ({ list }: Answers): string[] =>
  list.items.flatMap(({ choices = [] }: PreflightItem) => choices.map(({ choice }) => flagText(choice)))

export interface PaperHost {
  /** Running networks of libvirt, with their definitions. */
  readonly networks?: Readonly<Record<string, string>>
  /** Those of them that are off. */
  readonly off?: readonly string[]
  /** Definitions of VMs by UUID. */
  readonly vms?: Readonly<Record<string, string>>
  /** What `ss` says. Undefined: there is none. */
  readonly ss?: string
  /** `domcapabilities` by machine type. */
  readonly capabilities?: Readonly<Record<string, string>>
  /** It has all that a CPU of a definition has. */
  readonly cpuFits?: boolean
  /** What virsh says to other questions, by their verb. */
  readonly answers?: Readonly<Record<string, FakeAnswer | string>>
}

/** A host that answers what a plan asks of it, and nothing else. */
export function paperHost({
  networks = {},
  off = [],
  vms = {},
  ss,
  capabilities = {},
  cpuFits,
  answers = {}
}: PaperHost): FakeShell {
  const one = ([verb = '', ...rest]: readonly string[]): FakeAnswer | string => {
    if (verb === 'net-list')
      return Object.keys(networks)
        .filter((name) => rest.includes('--all') || !off.includes(name))
        .join('\n')
    if (verb === 'net-dumpxml') return networks[rest[1] ?? ''] ?? ''
    if (verb === 'list')
      return Object.entries(vms)
        .map(([uuid, xml]) => `${uuid} ${parseDomain(xml).name}\n`)
        .join('')
    if (verb === 'dumpxml') return vms[rest[0] ?? ''] ?? ''
    if (verb === 'domcapabilities')
      return capabilities[rest.at(-1) ?? ''] ?? { exitCode: 1, stderr: 'error: failed to get emulator capabilities' }
    if (verb === 'hypervisor-cpu-compare' && cpuFits !== undefined)
      return cpuFits ? 'superset' : { exitCode: 1, stdout: 'CPU described in x is incompatible with the CPU provided' }
    return answers[verb] ?? { exitCode: 1, stderr: `error: ${verb} was not expected` }
  }
  return fakeShell(({ argv: [program, verb = '', ...rest] }) => {
    if (program === 'ss') return ss
    return verb.includes('; echo ') ? batch(one, verb) : one([verb, ...rest])
  })
}

function batch(one: (words: readonly string[]) => FakeAnswer | string, text: string): FakeAnswer {
  const commands = [...text.matchAll(/(?:^|; )(\w[^;]*); echo ([\w-]+); echo --err [\w-]+/g)]
  const answers = commands.map(([, words = '', mark = '']) => ({ mark, said: one(words.split(' ')) }))
  return {
    stdout: answers.map(({ mark, said }) => `${typeof said === 'string' ? said : ''}\n${mark}\n`).join(''),
    stderr: answers.map(({ mark }) => `\nerror: ${mark}\n`).join('')
  }
}

/** A kernel that shows these files. */
export async function hardwareWith(files: Readonly<Record<string, string>>): Promise<Hardware> {
  const root = await mkdtemp(join(tmpdir(), 'stillpoint-hardware-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(root + path), { recursive: true })
    await writeFile(root + path, text)
  }
  return new Hardware(root)
}
