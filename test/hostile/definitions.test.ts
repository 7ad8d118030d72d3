import { describe, expect, it } from 'vitest'
import { isThrownAway, parseDomain, parseDomainInTurn, type XmlDisk } from '../../src/libvirt/domain-xml.ts'
import { machineFamily } from '../../src/libvirt/host.ts'
import { parseSecrets } from '../../src/libvirt/secrets.ts'
import { parseSessionVms } from '../../src/libvirt/session-vms.ts'
import { parseState } from '../../src/libvirt/domains.ts'
import { parseJob } from '../../src/libvirt/domain-jobs.ts'
import { rangeNumbers } from '../../src/libvirt/placement.ts'
import { whyRefused } from '../../src/libvirt/xml-scan.ts'
import { parseXml, serializeXml } from '../../src/libvirt/xml.ts'
import { checkShown } from '../../src/renderer/features/hosts/probe-view.ts'
import { definition, failureFrom, GOOD, look, ODD, printed, twoVms } from './look-text.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('definitions')

const inside = (text: string): string => definition('odd', ODD, `<memory>1</memory>${text}`)
const character = (code: number): string => `U+${code.toString(16).padStart(4, '0')}`
const CONTROLS = [...Array(32).keys()].filter((code) => ![9, 10, 13].includes(code))
const NONE = [0xfffe, 0xffff, 0xd800, 0xdbff, 0xdc00, 0xdfff]

/** Refused in words, and in a look the VM alone has no definition. */
function expectRefused(xml: string, saying = ''): void {
  expect(failureFrom(() => parseDomain(xml))).toMatchObject({
    kind: 'bad-output',
    detail: expect.stringContaining(saying) as string
  })
  const { domains } = look(printed(twoVms({ [`xml ${ODD}`]: xml })))
  expect(domains).toMatchObject([
    { uuid: ODD, name: 'odd', state: 'running', disks: [] },
    { uuid: GOOD, name: 'good', limits: [] }
  ])
  expect(domains[0]?.limits.join()).toContain('Its definition cannot be read')
}

describe('characters that XML forbids', () => {
  it('are refused in text, in values, in names and in comments', async () => {
    for (const code of [...CONTROLS, ...NONE])
      for (const [where, xml] of [
        ['text', inside(`<title>a${String.fromCharCode(code)}b</title>`)],
        ['a value', inside(`<os firmware='a${String.fromCharCode(code)}b'/>`)],
        ['a comment', inside(`<!-- ${String.fromCharCode(code)} -->`)]
      ] as const)
        await tally.tried(() => {
          expect(whyRefused(xml, { characters: 1e6, pieces: 1e4 }), `${character(code)} in ${where}`).toContain(
            'forbids'
          )
          expect(failureFrom(() => parseXml(xml, 'it'))).toMatchObject({ kind: 'bad-output' })
        })
  })

  it('are refused where they are only referred to', async () => {
    for (const code of [...CONTROLS, ...NONE, 0x110000, 0x7fffffff])
      for (const reference of [
        `&#${code};`,
        `&#x${code.toString(16)};`,
        `&#x${code.toString(16).toUpperCase()};`,
        `&#000000${code};`
      ])
        await tally.tried(() => {
          expectRefused(inside(`<title>${reference}</title>`), 'forbids')
          expectRefused(inside(`<os firmware="${reference}"/>`), 'forbids')
        })
  })

  it.each([
    '&#9;',
    '&#10;',
    '&#13;',
    '&#x20;',
    '&#133;',
    '&#xe9;',
    '&#x1f600;',
    '\t\n\r',
    'é',
    '😀',
    '\u0085',
    '\u202e'
  ])('are not those that it allows: %j', (text) =>
    tally.tried(() => expect(parseDomain(inside(`<title>.${text}.</title>`)).title).toBeDefined())
  )

  it.each(['<!-- &#27; -->', '<title><![CDATA[&#27;]]></title>', '<?note &#27; ?>'])(
    'are no characters where a reference is none: %s',
    (text) => tally.tried(() => expect(parseDomain(inside(text)).name).toBe('odd'))
  )
})

describe('markup that means harm', () => {
  it.each<[string, string, string]>([
    ['a document type', `<!DOCTYPE domain>${inside('')}`, 'document type'],
    ['a document type in small letters', `<!doctype domain>${inside('')}`, 'document type'],
    ['a document type from elsewhere', `<!DOCTYPE d SYSTEM "file:///etc/shadow">${inside('')}`, 'document type'],
    ['an entity', `<!DOCTYPE d [<!ENTITY a "b">]>${inside('&a;')}`, 'document type'],
    ['entities of entities', `<!DOCTYPE d [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${inside('&b;')}`, 'document type'],
    ['an entity inside of it', inside('<!ENTITY a "b">'), 'document type'],
    ['an entity that nobody declared', inside('&a;'), ''],
    ['a reference without an end', inside('&#65'), ''],
    ['an ampersand', inside('a & b'), ''],
    ['an element declared', inside('<!ELEMENT a ANY>'), ''],
    ['a conditional section', inside('<![INCLUDE[<a/>]]>'), ''],
    ['a comment without an end', inside('<!--'), 'does not end'],
    ['a comment that ends too soon', inside('<!-->'), 'does not end'],
    ['two dashes in a comment', inside('<!-- a -- b -->'), ''],
    ['CDATA without an end', inside('<![CDATA['), 'does not end'],
    ['an instruction without an end', inside('<?a'), 'does not end'],
    ['a tag without an end', inside('<a'), 'does not end'],
    ['a value without an end', inside(`<a b="`), 'does not end'],
    ['a value with the other quote', inside(`<a b="c'/>`), 'does not end'],
    ['a tag in a tag', inside('<a <b/>/>'), 'does not end'],
    ['a tag in a value', inside('<a b="<c/>"/>'), ''],
    ['a value without quotes', inside('<a b=c/>'), ''],
    ['an attribute without a value', inside('<a b/>'), ''],
    ['an attribute twice', inside('<a b="1" b="2"/>'), ''],
    ['attributes that touch', inside('<a b="1"c="2"/>'), ''],
    ['a tag of no name', inside('< a/>'), ''],
    ['a tag named by a digit', inside('<1a/>'), ''],
    ['an end without a beginning', inside('</a>'), ''],
    ['ends that cross', inside('<a><b></a></b>'), ''],
    ['no end at all', inside('').replace('</domain>', ''), ''],
    ['two roots', `${inside('')}${inside('')}`, ''],
    ['text before it', `evil${inside('')}`, ''],
    ['text behind it', `${inside('')}evil`, ''],
    ['another root', '<network/>', ''],
    ['no root', '<!-- domain -->', ''],
    ['nothing but blanks', ' '.repeat(1000), ''],
    ['its root in another case', inside('').replaceAll('domain', 'DOMAIN'), ''],
    ['no UUID', '<domain><name>odd</name></domain>', ''],
    ['a UUID that is a path', inside('').replace(ODD, '../../etc/passwd'), ''],
    ['a replacement character', inside('<title>\uFFFD</title>'), 'UTF-8']
  ])('is refused: %s', (_what, xml, saying) => tally.tried(() => expectRefused(xml, saying)))

  const nested = (open: string, close: string, levels: number): string =>
    inside(open.repeat(levels) + close.repeat(levels))
  it.each([
    ['tags', nested('<a>', '</a>', 101)],
    ['a hundred thousand tags', inside('<a>'.repeat(100_000))],
    ['tags whose values look like an end', nested('<a b="/>">', '</a>', 101)],
    [
      'tags whose values look like an end, in other quotes',
      nested("<a b='</a>'>", '</a>', 101).replaceAll("'</a>'", "'/>'")
    ],
    ['tags with line ends in them', nested('<a\n>', '</a\n>', 101)],
    ['tags with comments between', nested('<!-- </a> --><a>', '</a>', 101)],
    ['tags with CDATA between', nested('<![CDATA[</a>]]><a>', '</a>', 101)],
    ['tags with instructions between', nested('<?x </a>?><a>', '</a>', 101)],
    ['tags that name other documents', nested('<p:a xmlns:p="u">', '</p:a>', 101)]
  ])('is refused where it is too deep: %s', (_what, xml) => tally.tried(() => expectRefused(xml, 'deeper than 100')))

  const over = 19_000
  it.each([
    ['tags', inside('<a/>'.repeat(over))],
    ['pairs of tags', inside('<a></a>'.repeat(over / 2))],
    ['attributes', inside(`<a ${Array.from({ length: over }, (_, n) => `b${n}=""`).join(' ')}/>`)],
    ['namespaces', inside(`<a ${Array.from({ length: over }, (_, n) => `xmlns:b${n}="c"`).join(' ')}/>`)],
    ['comments', inside('<!---->'.repeat(over))],
    ['CDATA', inside('<![CDATA[]]>'.repeat(over))],
    ['instructions', inside('<?a b?>'.repeat(over))],
    ['references', inside('&amp;'.repeat(over))],
    ['references in a value', inside(`<a b="${'&lt;'.repeat(over)}"/>`)],
    ['line ends of another system', inside('\r'.repeat(over))],
    ['characters', inside('x'.repeat(384 * 1024))]
  ])('is not read at once where there are too many %s', (_what, xml) =>
    tally.tried(() => {
      expect(failureFrom(() => parseDomainInTurn(xml))).toMatchObject({ kind: 'bad-output' })
      const { domains } = look(printed(twoVms({ [`xml ${ODD}`]: xml })))
      expect(domains).toMatchObject([
        { name: 'odd', limits: [expect.any(String)] },
        { name: 'good', limits: [] }
      ])
    })
  )

  const LIMITS = ['total_bytes_sec', 'total_iops_sec', 'total_bytes_sec_max', 'total_iops_sec_max', 'size_iops_sec']
    .concat('total_bytes_sec_max_length', 'total_iops_sec_max_length', 'group_name')
    .map((limit) => `<${limit}>1000000</${limit}>`)
  const iotune = `<iotune>\n          ${LIMITS.join('\n          ')}\n        </iotune>`
  it.each([
    ['without', ''],
    ['with', iotune]
  ])('is read where it is of a VM with 300 disks, %s limits of their own', (_, ofEach) =>
    tally.tried(() => {
      const disk = (n: number): string => `<disk type='file' device='disk'>
        <driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap'/>
        <source file='/var/lib/libvirt/images/some-vm-with-a-name-${n}.qcow2' index='${n}'/>
        <backingStore type='file' index='${n + 1000}'>
          <format type='qcow2'/><source file='/var/lib/libvirt/images/base-${n}.qcow2'/><backingStore/>
        </backingStore>
        <target dev='sd${n}' bus='scsi'/>${ofEach}<serial>abcdef${n}</serial><alias name='scsi0-0-0-${n}'/>
        <address type='drive' controller='0' bus='0' target='0' unit='${n}'/>
      </disk>`
      const xml = inside(`<devices>${Array.from({ length: 300 }, (_, n) => disk(n)).join('')}</devices>`)
      expect(look(printed(twoVms({ [`xml ${ODD}`]: xml }))).domains[0]?.disks).toHaveLength(300)
    })
  )
})

describe('what a definition says of its own encoding', () => {
  it.each([
    'UTF-7',
    'UTF-16',
    'UTF-16LE',
    'UCS-4',
    'ISO-8859-1',
    'EBCDIC-CP-US',
    'IBM037',
    'Shift_JIS',
    'HZ',
    'ISO-2022-JP',
    'x'
  ])('is refused if it is another than it came in: %s', (encoding) =>
    tally.tried(() => {
      expectRefused(`<?xml version="1.0" encoding="${encoding}"?>${inside('')}`, encoding)
      expectRefused(`<?xml version='1.0' encoding = '${encoding}'  ?>\n${inside('')}`, encoding)
    })
  )

  it.each(['UTF-8', 'utf-8', 'US-ASCII'])('is left out of what is written: %s', (encoding) =>
    tally.tried(() => {
      const xml = `<?xml version="1.0" encoding="${encoding}"?><?xml-stylesheet href="x"?><!-- a -->${inside('')}`
      expect(serializeXml(parseXml(xml, 'it'))).toBe(inside('').replaceAll("'", '"'))
    })
  )
})

const KIB = 1024
/** Work over a text of this many characters, by what it is made of. */
const COSTS: readonly (readonly [string, (length: number) => unknown])[] = [
  ['comments that do not end', (n) => refusal('<!--'.repeat(n / 4))],
  ['CDATA that does not end', (n) => refusal('<![CDATA['.repeat(n / 9))],
  ['instructions that do not end', (n) => refusal('<?'.repeat(n / 2))],
  ['tags that do not end', (n) => refusal('<a '.repeat(n / 3))],
  ['one tag that does not end', (n) => refusal(`<a ${'b '.repeat(n / 2)}`)],
  ['values that do not end', (n) => refusal('<a b="'.repeat(n / 6))],
  ['quotes in a tag', (n) => refusal(`<a ${`"'"`.repeat(n / 3)}`)],
  ['comments', (n) => refusal('<!---->'.repeat(n / 7))],
  ['tags', (n) => refusal('<a/>'.repeat(n / 4))],
  ['references without an end', (n) => refusal(`<a>${'&#'.repeat(n / 2)}</a>`)],
  ['one reference without an end', (n) => refusal(`<a>&#${'1'.repeat(n)}</a>`)],
  ['the beginning of a document type', (n) => refusal('<!DOCTYP'.repeat(n / 8))],
  ['an encoding without an end', (n) => refusal(`<?xml ${'encoding '.repeat(n / 9)}?><a/>`)],
  ['blanks before a file system', (n) => looked('df', `/dev/a${' '.repeat(n)}`)],
  ['blanks between numbers', (n) => looked('df', `/dev/a 1${' '.repeat(n / 2)}2${' '.repeat(n / 2)}x`)],
  ['numbers of file systems', (n) => looked('df', ' 1'.repeat(n / 2))],
  ['lines of file systems', (n) => looked('df', '/dev/a 1 1 1 1%\n'.repeat(n / 16))],
  ['figures of disks', (n) => looked(`stats ${ODD}`, '  block.0.name=a\n'.repeat(n / 17))],
  ['digits of a figure', (n) => looked(`stats ${ODD}`, `  block.0.capacity=${'1'.repeat(n)}x`)],
  ['labels', (n) => looked(`info ${ODD}`, 'Persistent: '.repeat(n / 12))],
  ['labels, line by line', (n) => looked(`info ${ODD}`, 'Persistent:\n'.repeat(n / 12))],
  ['sections', (n) => look('\nmark-x begin\n'.repeat(n / 14) + printed(twoVms({})))],
  ['marks in one line', (n) => look(`${'\nmark-x '.repeat(n / 8)}${printed(twoVms({}))}`)],
  ['blanks behind a secret', (n) => parseSecrets(`${ODD} volume${' '.repeat(n)}x`)],
  ['line ends of a job', (n) => parseJob(`Job type: 0${'\n'.repeat(n)}`)],
  ['a state without an end', (n) => failureFrom(() => parseState(`running (${'a ('.repeat(n / 3)}`))],
  ['a VM of a user', (n) => parseSessionVms(`a\t/${'.xm'.repeat(n / 3)}`)],
  ['a set of processors', (n) => rangeNumbers('0-65536,'.repeat(n / 8))],
  ['folders of transient disks', (n) => isThrownAway(transient(`${'.TRANSIENT-'.repeat(n / 11)}/`))],
  ['a machine type', (n) => machineFamily(`a-${'1'.repeat(n)}!`)],
  ['words before a command that does not come', (n) => fixed('run '.repeat(n / 4))],
  ['colons before a command that does not come', (n) => fixed(`run ${': '.repeat(n / 2)}`)]
]

const transient = (source: string): XmlDisk => ({ transient: true, source }) as XmlDisk
const fixed = (fix: string): unknown => checkShown({ check: '', state: 'problem', text: '', fix })
const refusal = (text: string): unknown => whyRefused(text, { characters: Infinity, pieces: Infinity })
const looked = (section: string, text: string): unknown => look(printed(twoVms({ [section]: text })))

/** The least of several, since other programs take their share of a busy machine. */
function cost(work: () => unknown): number {
  const tries = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...tries)
}

/** Below this it is the machine that is measured. */
const LEAST_MS = 20

describe('what reading costs', () => {
  // Of quadratic cost, four times the text would take sixteen times as long.
  it.each(COSTS)('goes by the length of what is read, and not by its square: %s', (_what, work) =>
    tally.tried(() => {
      work(KIB)
      const [once, fourTimes] = [cost(() => work(48 * KIB)), cost(() => work(192 * KIB))]
      expect(fourTimes).toBeLessThan(10 * Math.max(once, LEAST_MS))
    })
  )
})
