import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { cutLengths, LONGEST_LINE_BYTES, LONGEST_STEP_DATA } from '../../src/shared/engine-limits.ts'
import { engineVerbs, LONGEST_TEXT } from '../../src/shared/engine-protocol.ts'
import { JournalEntry, ToldEntry, type BackupSpec } from '../../src/shared/model/job.ts'
import { AT, idOf } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('limits of answers')

const LONG = 1 << 20
const long = 'x'.repeat(LONG)
/** In all forms that any text of ours has. */
const LONG_TEXTS = [
  ...[long, '0'.repeat(LONG), ' '.repeat(LONG), `/${long}`, `x@${long}`, `https://example.org/${long}`],
  `2026-11-22T00:00:00.${'1'.repeat(LONG)}Z`
]
const LARGE_NUMBERS = [1.7e308, -1.7e308]
const MANY = Array.from({ length: 100_000 }, (_, n) => `entry ${n}`)
const LARGE_VALUES = [
  ...[`${long}${long}`, MANY, [long, long], { a: [long, long] }, { a: { b: MANY } }],
  Object.fromEntries(MANY.map((name) => [name, 1])),
  { kind: 'bug', reference: long, message: `${long}${long}` },
  { kind: 'left-behind', vm: long, left: MANY.map((path) => ({ path, because: path, mend: [] })) },
  { kind: 'state-not-savable', vm: long, devices: MANY, because: long }
]

const known = new Map<z.ZodType, boolean>()

/** What comes of these values through this schema is none, or is no larger than that. Looked at once: many parts are of one kind. */
function isWithin(schema: z.ZodType, values: readonly unknown[], fits: (read: unknown) => boolean): boolean {
  const isKnown = known.get(schema)
  if (isKnown !== undefined) return isKnown
  const is = values.every((value) => {
    const { success, data } = schema.safeParse(value)
    return !success || fits(data)
  })
  known.set(schema, is)
  return is
}

const hasMost = ({ def }: z.ZodArray): boolean =>
  (def.checks ?? []).some(({ _zod }) => ['max_length', 'length_equals'].includes(_zod.def.check))

/** The ways to all that a schema takes at any length, in any number or of any size. */
function unlimited(schema: z.core.$ZodType, at: string, cut = false): string[] {
  const isCut = cut || (schema instanceof z.ZodType && cutLengths.has(schema))
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unlimited(schema.unwrap(), at, isCut)
  if (schema instanceof z.ZodPipe) return unlimitedOfPipe(schema, at, isCut)
  if (schema instanceof z.ZodArray)
    return [...(isCut || hasMost(schema) ? [] : [`${at}: list`]), ...unlimited(schema.element, `${at}[]`)]
  if (schema instanceof z.ZodRecord)
    return [
      ...(isCut ? [] : [`${at}: record`]),
      ...unlimited(schema.keyType, `${at} (name)`),
      ...unlimited(schema.valueType, `${at}{}`)
    ]
  if (schema instanceof z.ZodObject) return unlimitedOfObject(schema, at)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((each) => unlimited(each, at))
  if (schema instanceof z.ZodIntersection)
    return [schema.def.left, schema.def.right].flatMap((each) => unlimited(each, at))
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat)
    return isWithin(schema, LONG_TEXTS, (text) => (text as string).length <= LONGEST_TEXT) ? [] : [`${at}: text`]
  if (schema instanceof z.ZodNumber)
    return isWithin(schema, LARGE_NUMBERS, (value) => Math.abs(value as number) <= Number.MAX_SAFE_INTEGER)
      ? []
      : [`${at}: number`]
  const isFixed = [z.ZodLiteral, z.ZodEnum, z.ZodBoolean, z.ZodNever].some((kind) => schema instanceof kind)
  return isFixed ? [] : [`${at}: ${schema._zod.def.type}`]
}

function unlimitedOfObject(schema: z.ZodObject, at: string): string[] {
  const { catchall } = schema.def
  const others = catchall === undefined || catchall instanceof z.ZodNever ? [] : [`${at}: whatever else`]
  return [
    ...others,
    ...Object.entries<z.core.$ZodType>(schema.shape).flatMap(([key, each]) => unlimited(each, `${at}.${key}`))
  ]
}

/** What is made of something at once has its limit there, and shows it with the largest. */
function unlimitedOfPipe(schema: z.ZodPipe, at: string, isCut: boolean): string[] {
  if (!(schema.out instanceof z.ZodTransform)) return unlimited(schema.out, at, isCut)
  const within = unlimited(schema.in, at, isCut)
  const isShort = (read: unknown): boolean => JSON.stringify(read).length <= LONGEST_LINE_BYTES
  return within.length === 0 || isWithin(schema, LARGE_VALUES, isShort) ? [] : within
}

const SAID = Object.entries(engineVerbs).flatMap(([verb, { event, result }]) => [
  [`${verb}: result`, result] as const,
  ...(event instanceof z.ZodNever ? [] : [[`${verb}: event`, event] as const])
])

describe('what an engine may say', () => {
  it.each(SAID)('has a limit in each of its texts, lists, records and numbers: %s', async (_, schema) => {
    await tally.tried(() => expect(unlimited(schema, '')).toEqual([]))
  })

  it.each([
    ['a text', z.string(), [': text']],
    ['a text in a form', z.string().regex(/^x+$/), [': text']],
    ['a time', z.iso.datetime(), [': text']],
    ['a number', z.object({ a: z.number().optional() }), ['.a: number']],
    ['a list', z.array(z.boolean()), [': list']],
    ['a list in a list', z.array(z.array(z.boolean())).max(3), ['[]: list']],
    ['a record', z.record(z.string().max(3), z.boolean()), [': record']],
    ['names of a record', z.object({ a: z.record(z.string(), z.boolean()) }), ['.a: record', '.a (name): text']],
    ['one of several', z.union([z.boolean(), z.object({ b: z.string() })]), ['.b: text']],
    ['anything', z.object({ a: z.unknown() }), ['.a: unknown']],
    ['anything, changed', z.unknown().transform((value) => value), [': unknown']],
    ['whatever else', z.looseObject({}), [': whatever else']]
  ])('would be found without a limit: %s', (_, schema, found) => expect(unlimited(schema, '')).toEqual(found))
})

const spec: BackupSpec = {
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'web1',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause'
}
const stamp = { n: 1, at: AT }

describe('a journal in its engine’s own terms', () => {
  const disks = Array.from({ length: 60 }, (_, n) => ({
    target: `vd${n}`,
    image: `/srv/images/${'i'.repeat(200)}${n}`
  }))
  const plan = { undo: Array.from({ length: 300 }, (_, n) => ({ n, xml: 'x'.repeat(1000) })) }

  it.each([
    ['the VM with 60 disks', { type: 'begin', id: idOf(1), spec, bootId: 'b', engine: '1.0.0', vms: [{ disks }] }],
    ['the disks of a step', { type: 'step', step: 'snapshot', data: { disks } }],
    ['a plan of 300 KiB', { type: 'step', step: 'plan', data: plan }],
    ['the end of a step', { type: 'step-done', step: 'plan', ms: 1, data: plan }]
  ])('is passed on as it is: %s', (_, said) => {
    const entry = { ...stamp, ...said }
    expect(ToldEntry.parse(entry)).toEqual(entry)
    expect(JournalEntry.parse(entry)).toEqual(entry)
  })

  it('is left out where it is longer than any, and what happened is told', async () => {
    for (const data of [{ a: long }, { a: { b: MANY } }, Object.fromEntries(MANY.map((name) => [name, 1]))])
      await tally.tried(() => {
        const told = ToldEntry.parse({ ...stamp, type: 'step', step: 'copy', data })
        expect(told).toMatchObject({ n: 1, type: 'step', step: 'copy' })
        expect(JSON.stringify(told).length).toBeLessThan(1000)
      })
  })

  it('is whole for the engine, which puts right what is in it', () => {
    const entry = { ...stamp, type: 'step', step: 's'.repeat(400), data: { a: 'x'.repeat(2 * LONGEST_STEP_DATA) } }
    expect(JournalEntry.parse(entry)).toEqual(entry)
  })
})
