import { MantineProvider } from '@mantine/core'
import { createElement, type ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { MatchingVms } from '../../../src/renderer/features/schedules/matching-vms.tsx'
import { COLUMNS } from '../../../src/renderer/features/overview/vm-columns.tsx'
import { VmLimits } from '../../../src/renderer/features/vm/vm-limits.tsx'
import type { VmSafety } from '../../../src/shared/safety.ts'
import type { VmView } from '../../../src/shared/views/host-view.ts'

const LIMIT = 'Disk vdb is in no point: disks over rbd are not supported yet'
const vm = (n: number, limits?: string[]): VmView => ({
  uuid: `0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e1${n}`,
  name: `web${n}`,
  state: 'running',
  ramBytes: 1,
  vcpus: 1,
  autostart: false,
  agent: 'absent',
  disks: [],
  ...(limits && { limits })
})
const shown = (node: ReactNode): string =>
  renderToStaticMarkup(createElement(MantineProvider, null, node)).replace(/<style[^]*?<\/style>/g, '')

describe('what points will not hold', () => {
  it('is said on the page of its VM, where there is something', () => {
    expect(shown(createElement(VmLimits, { limits: [LIMIT, 'A restore will need a <yes>'] }))).toMatch(
      /What its points do not hold.*vdb is in no point: disks over rbd are not supported yet\..*a &lt;yes&gt;\./
    )
    expect(shown(createElement(VmLimits, { limits: undefined }))).not.toContain('points')
  })

  it('is said of the VMs that a schedule would have, before it is made', () => {
    const text = shown(createElement(MatchingVms, { vms: [vm(1), vm(2, [LIMIT])] }))
    expect(text).toMatch(/2 VMs fit now.*What their points will not hold.*web2.*vdb is in no point/)
    expect(shown(createElement(MatchingVms, { vms: [vm(1)] }))).not.toContain('will not hold')
  })

  it('is marked in the list of VMs', () => {
    const [name] = COLUMNS
    const cell = (limits?: string[]): string => {
      const row = { name: 'web1', host: 'alpha', vm: vm(1, limits) } as VmSafety
      return shown(createElement('div', null, name?.cell(row)))
    }
    expect(cell([LIMIT])).toMatch(/web1.*title="Disk vdb is in no point.*Not all of it is in its points/)
    expect(cell()).not.toContain('in its points')
  })
})
