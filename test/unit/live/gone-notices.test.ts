import { describe, expect, it } from 'vitest'
import { GoneNotices } from '../../../src/main/core/live/gone-notices.ts'

const notice = (host: string, id: string, acknowledged = true) => ({ host, id, acknowledged })
const written = (notices: GoneNotices): unknown => JSON.parse(JSON.stringify(notices.kept()))

describe('notices that made room', () => {
  it('are known by their host and id, read or not, also after a restart', () => {
    const notices = new GoneNotices()
    notices.add([notice('a', 'one'), notice('a', 'two', false)])
    const again = new GoneNotices()
    again.learn(written(notices))
    for (const each of [notices, again]) {
      expect(each.said(notice('a', 'one'))).toBe('read')
      expect(each.said(notice('a', 'two'))).toBe('unread')
      expect([each.said(notice('b', 'one')), each.said(notice('a', 'three'))]).toEqual([undefined, undefined])
    }
  })

  it('stay read where another Stillpoint has them unread', () => {
    const [one, other] = [new GoneNotices(), new GoneNotices()]
    one.add([notice('a', 'x')])
    other.add([notice('a', 'x', false)])
    other.learn(written(one))
    one.learn([])
    expect([one.said(notice('a', 'x')), other.said(notice('a', 'x'))]).toEqual(['read', 'read'])
  })

  it('are so many at most, and those of one host push out none of another', () => {
    const notices = new GoneNotices()
    notices.add([notice('good', 'x')])
    for (let n = 0; n < 20_000; n += 1000)
      notices.add(Array.from({ length: 1000 }, (_, k) => notice('bad', `${n + k}`)))
    expect(JSON.stringify(notices.kept()).length).toBeLessThan(60_000)
    expect(notices.said(notice('good', 'x'))).toBe('read')
    expect(notices.said(notice('bad', '19999'))).toBe('read')
    expect(notices.said(notice('bad', '0'))).toBeUndefined()
  })

  it('that are said stay longest', () => {
    const notices = new GoneNotices()
    notices.add([notice('a', 'said'), notice('a', 'silent')])
    for (let n = 0; n < 4999; n += 1) {
      notices.add([notice('a', `${n}`)])
      expect(notices.said(notice('a', 'said'))).toBe('read')
    }
    expect(notices.said(notice('a', 'silent'))).toBeUndefined()
  })

  it.each([undefined, 7, {}, [{ host: 'a', day: 'x' }], [{ host: 'a', day: 1, read: ['x'.repeat(5000)], unread: [] }]])(
    'learn nothing of what is no list of them: %j',
    (nonsense) => {
      const notices = new GoneNotices()
      notices.add([notice('a', 'one')])
      notices.learn(nonsense)
      expect(notices.said(notice('a', 'one'))).toBe('read')
      expect(notices.kept()).toHaveLength(1)
    }
  )
})
