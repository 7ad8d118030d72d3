import { mkdir, mkdtemp, readFile, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { takeHostFiles, type HostFiles } from '../../src/engine/capture/host-files.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { planBoot, planNvram } from '../../src/engine/restore/plan-firmware.ts'
import { FILES, POINT, VM, manifestOf, sha256 } from './store-points.ts'
import { paperPlan } from './paper-plan.ts'

let dir = ''
const warnings: string[] = []
beforeEach(async () => {
  warnings.length = 0
  dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-host-files-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await mkdir(join(dir, 'point'))
})

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

function take(plan: Partial<CapturePlan>): Promise<HostFiles> {
  const job = {
    warn: (text: string) => warnings.push(text),
    note: () => undefined,
    progress: () => undefined
  } as unknown as JobContext
  return takeHostFiles(job, paperPlan(VM, '<domain/>', { pointDir: join(dir, 'point'), ...plan }))
}

const inPoint = (path: string): Promise<string> => readFile(join(dir, 'point', path), 'utf8')

describe('small files of the host that a VM starts with', () => {
  it('are media too, where they are wanted: each by itself, however large', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const iso = await write('a.iso', '')
    await truncate(iso, 60 * 1024 ** 2)
    const { files, boot } = await take({
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'medium', originalPath: join(dir, 'gone.iso') },
        { role: 'medium', originalPath: iso }
      ]
    })
    expect(boot).toEqual([
      { role: 'kernel', file: 'boot/kernel-0', originalPath: kernel },
      { role: 'medium', file: 'boot/medium-1', originalPath: iso }
    ])
    expect(files).toMatchObject([{ path: 'boot/kernel-0' }, { path: 'boot/medium-1', sizeBytes: 60 * 1024 ** 2 }])
    expect(warnings).toEqual([expect.stringContaining(`The medium ${join(dir, 'gone.iso')} is not in the point`)])
  })

  it('are in the point, from wherever they lie, behind links too, each with its hash', async () => {
    await symlink(await write('vars-1.fd', 'variables'), join(dir, 'vars.fd'))
    const kernel = await write('vmlinuz', 'kernel')
    const initrd = await write('initrd.img', 'initrd')
    const { files, ...named } = await take({
      nvram: join(dir, 'vars.fd'),
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'initrd', originalPath: initrd }
      ]
    })
    expect(named).toEqual({
      nvram: { file: 'nvram.fd', originalPath: join(dir, 'vars.fd') },
      boot: [
        { role: 'kernel', file: 'boot/kernel-0', originalPath: kernel },
        { role: 'initrd', file: 'boot/initrd-1', originalPath: initrd }
      ]
    })
    expect(files.map(({ path }) => path)).toEqual(['nvram.fd', 'boot/kernel-0', 'boot/initrd-1'])
    expect(files[1]).toMatchObject({ sizeBytes: 6, sha256: sha256(Buffer.from('kernel')) })
    expect([await inPoint('nvram.fd'), await inPoint('boot/initrd-1')]).toEqual(['variables', 'initrd'])
    expect(warnings).toEqual([])
  })

  it('come with the TPM state as libvirt would have it, where the definition has a folder of its own for it', async () => {
    await mkdir(join(dir, 'tpm'))
    await write('tpm/tpm2-00.permall', 'state')
    await write('tpm/.lock', '')
    const { files, tpm } = await take({ tpmDir: join(dir, 'tpm'), tpmInto: 'tpm2' })
    expect(files.map(({ path }) => path)).toEqual(['tpm/tpm2/tpm2-00.permall'])
    expect(tpm).toEqual({ files: ['tpm/tpm2/tpm2-00.permall'] })
  })

  it('are warned of where they cannot be read', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const found = await take({
      nvram: join(dir, 'gone.fd'),
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'initrd', originalPath: join(dir, 'gone') }
      ]
    })
    expect(found).toEqual({ files: [] })
    expect(warnings).toEqual([
      expect.stringMatching(/NVRAM.*gone\.fd/) as string,
      expect.stringMatching(/^What the VM is started with is not in the point.*gone/) as string
    ])
  })

  it('are left where they are if they are no small ones, all of them: a kernel alone starts nothing', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const large = await write('initrd.img', '')
    await truncate(large, 128 * 1024 ** 2)
    const boot = [
      { role: 'kernel' as const, originalPath: kernel },
      { role: 'initrd' as const, originalPath: large }
    ]
    expect(await take({ boot })).toEqual({ files: [] })
    expect(warnings).toEqual([
      expect.stringMatching(/has 128 MiB and is not in the point: it starts only on a host that has \//) as string
    ])
  })
})

describe('at a restore', () => {
  it('a kernel that is here is left alone, and one that is not comes from the point', async () => {
    const here = await write('vmlinuz', 'another')
    const boot = [
      { role: 'kernel' as const, file: 'boot/kernel-0', originalPath: here },
      { role: 'initrd' as const, file: 'boot/initrd-1', originalPath: join(dir, 'gone') }
    ]
    const path = `/var/lib/libvirt/images/${VM}-${POINT}-initrd-1`
    expect(planBoot(manifestOf(FILES, { boot }), VM, 'job')).toEqual([
      { role: 'initrd', file: 'boot/initrd-1', formerPath: join(dir, 'gone'), path, staged: `${path}.stillpoint-job` }
    ])
  })

  it('firmware variables go back to a place of their own only where the VM that makes way has them there', () => {
    const nvram = { file: 'nvram.fd', originalPath: '/srv/vm/vars.fd' }
    const manifest = manifestOf(FILES, { nvram })
    expect(planNvram(manifest, 'job', ['/srv/vm/vars.fd'])?.path).toBe('/srv/vm/vars.fd')
    expect(planNvram(manifest, 'job', [])?.path).toBe(`/var/lib/libvirt/qemu/nvram/${VM}-${POINT}.fd`)
  })
})
