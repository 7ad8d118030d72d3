import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renameIfProven, shown, type Doomed } from '../../../src/engine/evidence/removal.ts'
import { removable } from '../../../src/engine/evidence/verdict.ts'
import { paperLibvirt } from '../paper-libvirt.ts'

let dir: string
let from: string
let to: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stillpoint-removal-'))
  from = join(dir, 'web.new')
  to = join(dir, 'web.qcow2')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** `meanwhile` happens while it is judged, which takes seconds. */
const rename = (meanwhile: () => Promise<unknown> = () => Promise.resolve()): ReturnType<typeof renameIfProven> => {
  const content: Doomed['content'] = async () => {
    await meanwhile()
    return removable('it is renamed')
  }
  return renameIfProven(paperLibvirt().shell, { path: from, made: shown('by this test'), content }, to)
}
const text = (path: string): Promise<string> => readFile(path, 'utf8')

describe('a file that is renamed', () => {
  beforeEach(() => writeFile(from, 'ours'))

  it('has its new name only', async () => {
    expect(await rename()).toMatchObject({ kind: 'remove' })
    expect(await readdir(dir)).toEqual(['web.qcow2'])
    expect(await text(to)).toBe('ours')
  })

  it('is never put over one that came while it was judged', async () => {
    expect(await rename(() => writeFile(to, 'theirs'))).toMatchObject({ kind: 'keep', path: from })
    expect(await Promise.all([from, to].map(text))).toEqual(['ours', 'theirs'])
  })

  it('has its new name only after a pass that was cut short with both', async () => {
    await link(from, to)
    expect(await rename()).toMatchObject({ kind: 'remove' })
    expect(await readdir(dir)).toEqual(['web.qcow2'])
    expect(await text(to)).toBe('ours')
  })
})

describe('a folder that is renamed', () => {
  beforeEach(async () => {
    await mkdir(from)
    await writeFile(join(from, 'a'), 'ours')
  })

  it('has its new name only', async () => {
    expect(await rename()).toMatchObject({ kind: 'remove' })
    expect(await readdir(dir)).toEqual(['web.qcow2'])
    expect(await text(join(to, 'a'))).toBe('ours')
  })

  it('is never put over one that came while it was judged', async () => {
    const come = async (): Promise<void> => {
      await mkdir(to)
      await writeFile(join(to, 'a'), 'theirs')
    }
    expect(await rename(come)).toMatchObject({ kind: 'keep', path: from })
    expect(await Promise.all([from, to].map((folder) => text(join(folder, 'a'))))).toEqual(['ours', 'theirs'])
  })
})
