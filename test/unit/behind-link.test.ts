import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { behindLink } from '../../src/engine/restore/displaced-vm.ts'

it('an image behind a symbolic link is told to stay when the link makes way', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint link '))
  const [real, link] = [join(folder, 'real.qcow2'), join(folder, 'link.qcow2')]
  try {
    writeFileSync(real, '')
    symlinkSync(real, link)
    expect(await behindLink(link)).toEqual([
      { path: real, because: `${link} is a symbolic link to it, and the link alone makes way` }
    ])
    expect(await behindLink(real)).toEqual([])
    expect(await behindLink(join(folder, 'nothing'))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
