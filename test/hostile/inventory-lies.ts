import { changed, repeated, says, type Lie } from './lies.ts'

export interface InventoryLie extends Lie {
  /** Of what is seen of the host then, what only this makes of it. */
  readonly shows?: string
}

/** How one section of an inventory can be wrong. `head` is the line that it begins with. */
type Wrong = (head: string, text: string, mark: string) => string

const WRONGS: Readonly<Record<string, Wrong>> = {
  'is missing': () => '',
  'is empty': (head) => `${head}\n`,
  'is twice there': (head, text) => `${head}\n${text}\n${head}\nsomething else\n`,
  'is a number beyond all': (head) => `${head}\n${'9'.repeat(400)}\n`,
  'is a megabyte in one line': (head) => `${head}\n${repeated('x: ', 1 << 20)}\n`,
  'is colons and blanks': (head) => `${head}\n${repeated(': ', 200_000)}\n${repeated(' ', 200_000)}\n`,
  'has orders to a terminal': (head, text) =>
    `${head}\n\u001b]0;owned\u0007\u202e${text.trim()}\u009b31m\u2066\u0000\n`,
  'is the next section': (head, text, mark) => `${head}\n${mark}\n${mark} \n${text}\n`
}

/** Every section with some of what can be wrong with it, and what can be wrong with all of them. */
export function inventoryLies(right: string, mark: string, wrongsOfSection: number): InventoryLie[] {
  const names = [...new Set(sectionsOf(right, mark).map(([name]) => name))]
  const all = Object.entries(WRONGS)
  const wrong = names.flatMap((name, n) =>
    [...all, ...all]
      .slice((n * wrongsOfSection) % all.length)
      .slice(0, wrongsOfSection)
      .map(([what, wrongly]) => changed(`“${name}” ${what}`, (text) => withSection(text, name, wrongly)))
  )
  return [...wrong, ...OF_MANY_VMS, ...OF_DEFINITIONS]
}

const markOf = (text: string): string => /^\n?(mark-\S+) begin$/m.exec(text)?.[1] ?? ''

function sectionsOf(text: string, mark: string): [string, string][] {
  const [, ...parts] = text.split(`\n${mark} `)
  return parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)])
}

function withSection(text: string, name: string, wrongly: Wrong): string {
  const mark = markOf(text)
  return sectionsOf(text, mark)
    .map(([each, content]) =>
      each === name ? `\n${wrongly(`${mark} ${each}`, content, mark)}` : `\n${mark} ${each}\n${content}`
    )
    .join('')
}

/** Before all that is there: of a section that comes twice the first counts. */
const withMore = (name: string, shows: string, more: (mark: string) => string): InventoryLie => ({
  ...changed(name, (text) => {
    const mark = markOf(text)
    const begin = `\n${mark} begin\n`
    return text.replace(begin, () => `${begin}${more(mark)}\n`)
  }),
  shows
})

const uuidOf = (n: number): string => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000099`
const uuids = (count: number): string => Array.from({ length: count }, (_, n) => uuidOf(n)).join('\n')
const UUID = uuidOf(1)
/** It has one VM, of which this is shown. */
const defined = (name: string, shows: string, xml: string): InventoryLie =>
  withMore(
    name,
    shows,
    (mark) => `\n${mark} list\n${UUID}\n\n${mark} state ${UUID}\nrunning (booted)\n\n${mark} xml ${UUID}\n${xml}`
  )

const OF_MANY_VMS: readonly InventoryLie[] = [
  withMore(
    'has 20,000 VMs that are only named',
    'Its libvirt lists 7084 VMs',
    (mark) => `\n${mark} list\n${uuids(20_000)}`
  ),
  withMore('has 5,000 VMs with a state', uuidOf(0), (mark) => {
    const states = Array.from({ length: 5_000 }, (_, n) => `\n${mark} state ${uuidOf(n)}\nrunning (booted)\n`)
    return `\n${mark} list\n${uuids(5_000)}\n${states.join('')}`
  }),
  withMore(
    'has one VM 20,000 times',
    UUID,
    (mark) => `\n${mark} list\n${repeated(`${UUID}\n`, 37 * 20_000)}\n${mark} state ${UUID}\nrunning (booted)`
  ),
  withMore('has 100,000 sections', '"vcpus":2', (mark) =>
    Array.from({ length: 100_000 }, (_, n) => `\n${mark} section-${n}\nx`).join('')
  ),
  withMore('has 100,000 file systems', '"space":[]', (mark) => {
    const all = Array.from({ length: 100_000 }, (_, n) => `/dev/vd${n} 1 1 1 1% /mnt/${n}`)
    return `\n${mark} df\n${all.join('\n')}`
  }),
  withMore('has 100,000 VMs of users', '"user":"user0"', (mark) => {
    const all = Array.from({ length: 100_000 }, (_, n) => `user${n}\t/home/u/.config/libvirt/qemu/vm${n}.xml`)
    return `\n${mark} session-vms\n${all.join('\n')}`
  }),
  says('says the marks of another question', '\nmark-0 begin\n\n\nmark-0 end\n'),
  changed('has its end before its beginning', (text) => text.split('\n').reverse().join('\n'))
]

const domain = (inside: string): string =>
  `<domain type='kvm' id='1'><name>liar</name><uuid>${UUID}</uuid><memory>1024</memory><vcpu>1</vcpu>${inside}</domain>`
const disk = (n: number): string =>
  `<disk type='file' device='disk'><source file='/srv/${n}/a.qcow2'/><target dev='vd${n}'/></disk>`

const disks = (count: number): string => Array.from({ length: count }, (_, n) => disk(n)).join('')

const OF_DEFINITIONS: readonly InventoryLie[] = [
  defined(
    'has a definition of entities within entities',
    'it declares a document type or entities',
    `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>${domain('&b;')}`
  ),
  defined(
    'has a definition of 50,000 levels',
    'nested deeper than 100 levels',
    domain(`${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}`)
  ),
  defined(
    'has a definition that never ends',
    'nested deeper than 100 levels',
    domain('').slice(0, -9) + '<devices>'.repeat(1000)
  ),
  defined(
    'has a definition of 4 MB of one attribute',
    'it is larger than the 384 KiB',
    domain(`<a b='${'x'.repeat(4 << 20)}'/>`)
  ),
  defined('has a VM of 20,000 disks', 'it is larger than the 384 KiB', domain(`<devices>${disks(20_000)}</devices>`)),
  defined('has a VM of 4,000 disks', 'it has more than 18000 tags', domain(`<devices>${disks(4000)}</devices>`)),
  defined('has a VM of 1,500 disks', '{"path":"/srv/0"', domain(`<devices>${disks(1500)}</devices>`)),
  defined(
    'has a disk with a chain of 5,000',
    'nested deeper than 100 levels',
    domain(
      `<devices><disk type='file' device='disk'>${'<backingStore type="file"><format type="qcow2"/>'.repeat(5_000)}${'</backingStore>'.repeat(5_000)}<target dev='vda'/></disk></devices>`
    )
  ),
  defined('has a VM of no name', '"name":""', domain('').replace('liar', '')),
  defined('has a VM with a name of 300,000', 'x'.repeat(100), domain('').replace('liar', 'x'.repeat(300_000))),
  defined(
    'has a VM with markup in its name',
    '<script>alert(1)</script>',
    domain('').replace('liar', '&lt;script&gt;alert(1)&lt;/script&gt;')
  ),
  defined(
    'has a VM with a name that turns round',
    'shop\u202egnp',
    domain('').replace('liar', 'shop\u202egnp\u200b\u2066')
  ),
  defined('has a VM of negative memory', '"name":"liar","id":1', domain('').replace('>1024<', '>-1024<')),
  defined(
    'has a VM of memory beyond all numbers',
    '"ramBytes":9007199254740991',
    domain('').replace('>1024<', `>${'9'.repeat(400)}<`)
  ),
  defined(
    'has a VM of as many processors as there are atoms',
    '"vcpus":9007199254740991',
    domain('').replace('<vcpu>1<', `<vcpu>${'9'.repeat(90)}<`)
  ),
  defined('has a definition of 15,000 comments', '"name":"liar","id":1', domain('<!-- a -->'.repeat(15_000))),
  defined('has a definition of open angles', 'a tag in it does not end', domain('<'.repeat(200_000))),
  defined('has a definition of open quotes', 'a tag in it does not end', domain(`<a b="${'\'"'.repeat(100_000)}`)),
  defined('has a definition of ampersands', 'it has an & that begins no reference', domain('&'.repeat(200_000))),
  defined('has a definition of instructions', '"name":"liar","id":1', domain('<?a?>'.repeat(15_000))),
  defined('has a definition in CDATA that never ends', 'does not end', domain('<![CDATA['.repeat(30_000)))
]
