import { expect, it } from 'vitest'
import { labelForLibvirt } from '../../src/libvirt/selinux.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const ON = '/proc/self/status' // a file that is there, in place of SELinux's own
const label = (type: string): string => `system_u:object_r:${type}:s0\n`

async function told(labels: string, switchFile = ON): Promise<readonly string[]> {
  const shell = fakeShell({ stat: labels, chcon: { exitCode: 1, stderr: 'not supported' } })
  await labelForLibvirt(shell, ['/p', '/p/memory.save'], switchFile)
  return shell.lines
}

it('what libvirt’s daemon writes RAM into has the label of VM images where SELinux is on', async () => {
  expect((await told(label('var_lib_t') + label('virt_image_t'))).at(-1)).toBe(
    'chcon -h -t virt_image_t -- /p /p/memory.save'
  )
})

it('is left alone where it has one that will do, and where there is no SELinux', async () => {
  expect(await told(label('virt_image_t') + label('svirt_image_t'))).toHaveLength(1)
  expect(await told('', '/nowhere')).toEqual([])
})
