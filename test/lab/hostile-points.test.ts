import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { testLab } from './test-lab.ts'

const IMAGES = '/var/lib/libvirt/images'
const EVIL = '/etc/cron.d/zz-evil'
const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0'

let alpha: LabHost
let engine: BareEngine
let guest: Guest
let point: string
let good: { readonly manifest: string; readonly definition: string }

const dir = (): string => `${DEFAULT_STORE}/${guest.uuid}/${point}`

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'wolf', ramMiB: 96, diskMiB: 24, format: 'raw' })
  point = (await engine.backup(guest)).point ?? ''
  good = {
    manifest: await alpha.readFile(`${dir()}/manifest.json`),
    definition: await alpha.readFile(`${dir()}/domain.xml`)
  }
  await guest.undefine()
})

afterEach(async () => {
  await alpha.run(`virsh undefine ${guest.uuid} --nvram; rm -f ${IMAGES}/* ${EVIL} /etc/cron.d/zz-log`)
})

afterAll(() => alpha.run(`rm -rf ${DEFAULT_STORE}/${guest.uuid}`))

/** Somebody makes a point of their own out of it: whoever makes the files makes their hashes. */
async function forge(change: { definition?: string; manifest?: (manifest: Manifest) => Manifest }): Promise<void> {
  const definition = change.definition ?? good.definition
  const was = JSON.parse(good.manifest) as Manifest
  const bytes = Buffer.from(definition)
  const file = {
    path: 'domain.xml',
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex')
  }
  const forged = { ...was, files: [...was.files.filter(({ path }) => path !== file.path), file] }
  await alpha.writeFile(`${dir()}/domain.xml`, definition)
  await alpha.writeFile(`${dir()}/manifest.json`, JSON.stringify(change.manifest?.(forged) ?? forged))
}

const restored = (allow: readonly string[] = []): Promise<JobReport> =>
  engine.restore(point, guest, { mode: 'define', allow: [...allow] })

const isDefined = async (): Promise<boolean> => (await alpha.must('virsh -q list --all --uuid')).includes(guest.uuid)

describe('a forged point', () => {
  const serial = "<serial type='file'><source path='/etc/cron.d/zz-log'/><target port='2'/></serial>"
  const orders = (): string =>
    good.definition
      .replace(/<domain /, `<domain xmlns:q='${QEMU}' `)
      .replace('</devices>', `${serial}</devices><q:commandline><q:arg value='-S'/></q:commandline>`)

  it('gives no orders: nothing is touched, and each thing is named', async () => {
    await forge({ definition: orders() })
    const report = await restored()
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'preflight' } })
    const said = JSON.stringify(report.failure)
    expect(said).toContain('/etc/cron.d/zz-log')
    expect(said).toContain('-S')
    expect(await isDefined()).toBe(false)
    expect(await alpha.must(`ls ${IMAGES} /etc/cron.d`)).not.toMatch(/wolf|zz-|stillpoint/)
  })

  it('is followed where each thing is allowed by name: libvirt gets what was looked at', async () => {
    await forge({ definition: orders() })
    const spec = { kind: 'restore', vm: guest.uuid, vmName: guest.name, hostName: 'alpha', point } as const
    const items = await engine.ask('preflight', {
      spec: { ...spec, store: DEFAULT_STORE, mode: 'define', replace: false }
    })
    const allow = items.flatMap((item) => item.allow ?? [])
    expect(allow).toContain('write=/etc/cron.d/zz-log')
    expect(await restored(allow)).toMatchObject({ mode: 'define' })
    const xml = await alpha.must(`virsh dumpxml ${guest.uuid} --inactive`)
    expect(xml).toContain("<qemu:arg value='-S'/>")
    expect(xml).toContain('/etc/cron.d/zz-log')
  })

  it('puts its disks into image folders alone, and nobody else may read them where it does not say who might', async () => {
    await forge({
      manifest: (manifest) => ({
        ...manifest,
        disks: manifest.disks.map(({ originalAccess: _, ...disk }) => ({
          ...disk,
          originalSource: EVIL,
          originalFormat: 'raw'
        }))
      })
    })
    const report = await restored()
    expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'define' })
    expect(report.warnings.join()).toContain('no images are kept in /etc/cron.d on this host')
    expect(await alpha.must('ls /etc/cron.d')).not.toContain('zz-evil')
    expect((await alpha.must(`stat -c '%a %U' ${IMAGES}/zz-evil`)).trim()).toBe('600 root')
  })
})
