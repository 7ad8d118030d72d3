import { describe, expect, it } from 'vitest'
import { managedSaveXml } from '../../src/libvirt/save-image.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const says = (stderr: string) => fakeShell(() => ({ exitCode: 1, stderr }))

describe('the managed save image of a VM', () => {
  it.each([
    ['there is none', 'error: Requested operation is not valid: Domain does not have managed save image'],
    ['it is being written still', 'error: operation failed: save image is incomplete']
  ])('has no definition to go by where %s', async (_, stderr) => {
    expect(await managedSaveXml(says(stderr), VM)).toBeUndefined()
  })

  it('is not taken for none where it cannot be read', async () => {
    await expect(managedSaveXml(says('error: Permission denied'), VM)).rejects.toThrow('managedsave-dumpxml')
  })
})
