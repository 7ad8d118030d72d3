import { createHash } from 'node:crypto'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { LabHost } from './host.ts'

/** Where what is copied lies: in no store. */
export const TEMPLATES = '/srv/templates'
const DAY_MS = 86_400_000
export const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS)
export const idOf = (at: Date): string => `${at.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-c0ffee`

/** The same point as if it had been taken at another time: cheap, and good by every check. Returns its id. */
export async function copyPoint(host: LabHost, template: Manifest, store: string, at: Date): Promise<string> {
  const id = idOf(at)
  const manifest: Manifest = { ...template, id, jobId: id, takenAt: at.toISOString() }
  const to = `${store}/${template.vm.uuid}/${id}`
  const script = 'mkdir -p "$(dirname "$2")" && cp -a "$1" "$2" && cat >"$2/manifest.json"'
  const argv = ['sh', '-c', script, 'sh', `${TEMPLATES}/${template.id}`, to]
  await host.must(argv, { stdin: JSON.stringify(manifest) })
  return id
}

/** Gives a point RAM that nobody could resume, but that weighs little. */
export async function addFakeRam(host: LabHost, store: string, vm: string, id: string): Promise<void> {
  const dir = `${store}/${vm}/${id}`
  const ram = 'R'.repeat(50_000)
  const manifest = JSON.parse(await host.readFile(`${dir}/manifest.json`)) as Manifest
  const sha256 = createHash('sha256').update(ram).digest('hex')
  await host.writeFile(`${dir}/memory.save`, ram)
  const files = [...manifest.files, { path: 'memory.save', sizeBytes: ram.length, sha256 }]
  const memory = { file: 'memory.save', ramBytes: ram.length }
  await host.writeFile(`${dir}/manifest.json`, JSON.stringify({ ...manifest, memory, files }))
}
