import type * as FsPromises from 'node:fs/promises'
import { link, mkdir, mkdtemp, readdir, readFile, rename as move, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { renameIfProven, shown, type Doomed } from '../../../src/engine/evidence/removal.ts'
import { removable } from '../../../src/engine/evidence/verdict.ts'
import { paperLibvirt } from '../paper-libvirt.ts'

/** What happens between the two acts of a renaming, and before the first. */
const between = vi.hoisted(() => ({
  acts: (): Promise<unknown> => Promise.resolve(),
  before: (): Promise<unknown> => Promise.resolve()
}))
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof FsPromises>()
  return {
    ...fs,
    link: async (...names: Parameters<typeof fs.link>) => {
      await between.before()
      await fs.link(...names)
      await between.acts()
    }
  }
})

let dir: string
let from: string
let to: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stillpoint-removal-'))
  from = join(dir, 'web.new')
  to = join(dir, 'web.qcow2')
})
afterEach(async () => {
  between.acts = () => Promise.resolve()
  between.before = () => Promise.resolve()
  await rm(dir, { recursive: true, force: true })
})

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

  /** Another host, which makes the same file way in the same folder. */
  async function another(): Promise<() => Promise<void>> {
    const theirs = join(dir, 'theirs')
    await writeFile(theirs, 'theirs')
    return () => move(theirs, from)
  }

  it('takes no name from one that took its place while it was judged', async () => {
    expect(await rename(await another())).toMatchObject({ kind: 'keep', path: from })
    expect(await readdir(dir)).toEqual(['web.new'])
    expect(await text(from)).toBe('theirs')
  })

  it('gives no name to one that took its place in the last moment', async () => {
    between.before = await another()
    expect(await rename()).toMatchObject({
      kind: 'keep',
      path: from,
      because: 'it was replaced while it was looked at'
    })
    expect(await readdir(dir)).toEqual(['web.new'])
    expect(await text(from)).toBe('theirs')
  })

  it('takes no name from one that took its place once it had the new one too', async () => {
    between.acts = await another()
    expect(await rename()).toMatchObject({ kind: 'keep', path: from, because: expect.stringContaining(to) as string })
    expect(await Promise.all([from, to].map(text))).toEqual(['theirs', 'ours'])
  })

  it('is kept where nothing tells its two names from two files, with how to tell them', async () => {
    await writeFile(to, 'ours')
    const { atime, mtime } = await stat(from)
    for (const path of [from, to]) await utimes(path, atime, mtime)
    const verdict = await rename()
    expect(verdict).toMatchObject({ kind: 'keep', because: expect.stringContaining('may be one file') as string })
    expect(verdict).toMatchObject({ mend: [expect.stringContaining(`cmp '${from}' '${to}'`) as string] })
    expect(await readdir(dir)).toHaveLength(2)
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
