import { describe, expect, it } from 'vitest'
import { Choices } from '../../../src/engine/restore/choices.ts'
import { StoredJobSpec } from '../../../src/shared/model/job.ts'
import {
  cardTargetOf,
  flagOf,
  flagText,
  mappingTo,
  mergeChoices,
  type RestoreChoice
} from '../../../src/shared/model/restore-choice.ts'
import { POINT } from '../store-points.ts'
import { VM } from './asked-host.ts'

const ALL: readonly [RestoreChoice, string][] = [
  [{ kind: 'map-network', from: 'lan', to: 'default' }, '--map-network lan=default'],
  [{ kind: 'map-bridge', from: 'br0', to: 'network:default' }, '--map-bridge br0=network:default'],
  [{ kind: 'map-device', from: 'eth0', to: 'none' }, '--map-device eth0=none'],
  [{ kind: 'listen', address: '127.0.0.1' }, '--listen 127.0.0.1'],
  [{ kind: 'drop', device: 'usb:1d6b:fffe' }, '--drop usb:1d6b:fffe'],
  [{ kind: 'drop', device: "folder:/it's a share" }, String.raw`--drop 'folder:/it'\''s a share'`],
  [{ kind: 'memory', mib: 4096 }, '--memory 4096'],
  [{ kind: 'auto-ports' }, '--auto-ports']
]

describe('a choice', () => {
  it.each(ALL)('is what one types: %j', (choice, text) => {
    expect(flagText(choice)).toBe(text)
    expect(flagOf(choice)[0]).toBe(`--${choice.kind}`)
  })

  it('takes the place of an earlier one about the same thing, and of no other', () => {
    const before: RestoreChoice[] = [
      { kind: 'map-network', from: 'lan', to: 'default' },
      { kind: 'drop', device: 'usb:1:2' }
    ]
    const later: RestoreChoice[] = [
      { kind: 'map-network', from: 'lan', to: 'bridge:br0' },
      { kind: 'map-bridge', from: 'lan', to: 'x' }
    ]
    expect(mergeChoices(before, later)).toEqual([later[0], before[1], later[1]])
  })

  it.each([
    ['map-network', { on: 'network', name: 'default' }, 'default'],
    ['map-network', { on: 'bridge', name: 'br0' }, 'bridge:br0'],
    ['map-bridge', { on: 'bridge', name: 'br1' }, 'br1'],
    ['map-device', { on: 'none' }, 'none'],
    ['map-network', { on: 'network', name: 'none' }, 'network:none'],
    ['map-network', { on: 'network', name: 'bridge:x' }, 'network:bridge:x']
  ] as const)('of %s says where cards go, there and back: %j', (kind, target, to) => {
    expect(mappingTo(kind, 'old', target)).toEqual({ kind, from: 'old', to })
    expect(cardTargetOf({ kind, to })).toEqual(target)
  })
})

describe('what was chosen', () => {
  const lan = { on: 'network', name: 'lan' } as const

  it('now goes before what was chosen for the host before', () => {
    const choices = new Choices({
      choices: [{ kind: 'map-network', from: 'lan', to: 'default' }],
      remembered: [{ kind: 'map-network', from: 'lan', to: 'other' }, { kind: 'auto-ports' }]
    })
    expect(choices.cards(lan)).toEqual({ value: { on: 'network', name: 'default' }, isAsked: true })
    expect(choices.plain('auto-ports')).toEqual({ value: true, isAsked: false })
    expect(choices.plain('drop-pins')).toBeUndefined()
    expect(choices.cards({ on: 'bridge', name: 'lan' })).toBeUndefined()
  })
})

describe('an order that a younger engine wrote', () => {
  it('is read without the choices that this one does not know', () => {
    const order = {
      kind: 'restore',
      vm: VM,
      vmName: 'web',
      hostName: 'beta',
      point: POINT,
      store: '/srv',
      mode: 'boot',
      replace: false
    }
    const choices = [{ kind: 'auto-ports' }, { kind: 'of-tomorrow', x: 1 }]
    expect(StoredJobSpec.parse({ ...order, choices })).toMatchObject({ choices: [{ kind: 'auto-ports' }] })
    expect(StoredJobSpec.parse(order)).not.toHaveProperty('choices')
  })
})
