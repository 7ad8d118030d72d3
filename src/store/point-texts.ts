import { join } from 'node:path'
import { LONGEST_TEXT, type PointTexts } from '../shared/engine-protocol.ts'
import { fail } from '../shared/failure.ts'
import type { PointId } from '../shared/model/ids.ts'
import { openRegular, readExactly } from './file-io.ts'
import { MANIFEST_NAME } from './layout.ts'
import { findPoint } from './point-store.ts'

const MEMORY_XML = 'memory.xml'

/**
 * A point's small files, for whoever asks what a restore of it would meet. Not hashed.
 *
 * @throws `not-found`, the failures of a point that is not good, `output-too-large`
 */
export async function readPointTexts(store: string, id: PointId): Promise<PointTexts> {
  const { dir, manifest: listed } = await findPoint([store], id)
  const [manifest, domain, host] = await Promise.all(
    [MANIFEST_NAME, 'domain.xml', 'host.json'].map((name) => textOf(dir, name, id))
  )
  const hasMemory = listed.files.some(({ path }) => path === MEMORY_XML)
  return {
    manifest: manifest ?? '',
    domain: domain ?? '',
    host: host ?? '',
    ...(hasMemory && { memory: await textOf(dir, MEMORY_XML, id) })
  }
}

/** @throws `output-too-large`, `point-damaged` where it is no file, and what the file system says */
export async function textOf(
  dir: string,
  name: string,
  point: PointId,
  limitBytes: number = LONGEST_TEXT
): Promise<string> {
  const damaged = (detail: string): never => fail({ kind: 'point-damaged', point, file: name, detail })
  const path = join(dir, name)
  const file = await openRegular(path, damaged)
  try {
    const { size } = await file.stat()
    if (size > limitBytes) fail({ kind: 'output-too-large', what: `${name} of point ${point}`, limitBytes })
    const bytes = new Uint8Array(size)
    await readExactly(file, bytes, 0, path)
    return new TextDecoder().decode(bytes)
  } finally {
    await file.close()
  }
}
