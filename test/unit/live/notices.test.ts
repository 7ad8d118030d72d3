import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Notices } from '../../../src/main/core/live/notices.ts'

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-notices-'))
afterAll(() => rmSync(folder, { recursive: true }))
const notice = (id: string) =>
  ({ id, host: '', at: '2026-11-25T09:00:00.000Z', severity: 'failure', title: id, text: '' }) as const

describe('notices', () => {
  it('are each said once, newest first, and are still there after a restart, read or unread', () => {
    const path = join(folder, 'a/notices.json')
    const notices = new Notices(path)
    notices.add(notice('one'))
    notices.add(notice('two'))
    notices.add(notice('one'))
    notices.acknowledge('one')
    const again = new Notices(path).all.value ?? []
    expect(again.map(({ id, acknowledged }) => [id, acknowledged])).toEqual([
      ['two', false],
      ['one', true]
    ])
  })

  it('can all be put aside at once', () => {
    const notices = new Notices(join(folder, 'b.json'))
    notices.add(notice('one'))
    notices.add(notice('two'))
    notices.acknowledge(undefined)
    expect(notices.all.value?.every(({ acknowledged }) => acknowledged)).toBe(true)
  })

  it('make room of what was read: many successes do not push out a failure that nobody has seen', () => {
    const notices = new Notices(join(folder, 'd.json'))
    notices.add(notice('unseen'))
    for (let n = 0; n < 300; n++) notices.add(notice(`quiet-${n}`), true)
    expect(notices.all.value).toHaveLength(200)
    expect(notices.all.value?.at(0)?.id).toBe('quiet-299')
    expect(notices.all.value?.at(-1)?.id).toBe('unseen')
    for (let n = 0; n < 300; n++) notices.add(notice(`loud-${n}`))
    expect(notices.all.value).toHaveLength(200)
  })

  it('begin anew where the file cannot be understood, which is kept, and are said where it cannot be written', () => {
    const path = join(folder, 'c.json')
    writeFileSync(path, '{"half":')
    const [first] = new Notices(path).all.value ?? []
    expect(first?.title).toBe('Earlier notices could not be read')
    const aside = readdirSync(folder).find((name) => name.startsWith('c.json.broken-')) ?? ''
    expect(readFileSync(join(folder, aside), 'utf8')).toBe('{"half":')
    const nowhere = new Notices(join(folder, aside, 'below-a-file.json'))
    nowhere.add(notice('one'))
    expect(nowhere.all.value).toContainEqual(expect.objectContaining(notice('one')))
  })
})
