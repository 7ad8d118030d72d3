import { MantineProvider } from '@mantine/core'
import { createElement, Suspense, type ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { prerender } from 'react-dom/static'
import { describe, expect, it } from 'vitest'
import { PageGuard } from '../../../src/renderer/app/page-guard.tsx'
import { lazyPart, loadAllParts, PartMissing } from '../../../src/renderer/ui/lazy-part.ts'
import { words } from '../../../src/renderer/words.ts'

const html = (node: ReactNode): string => renderToStaticMarkup(createElement(MantineProvider, null, node))

function guarded(error: unknown): string {
  const route = { screen: 'downtime' } as const
  const guard = new PageGuard({ route, onLeave: () => undefined, children: 'page' })
  guard.state = { error, route }
  return html(guard.render())
}

describe('a part of the window that could not be loaded', () => {
  it('is asked for once, and says that when it is shown', async () => {
    let asked = 0
    const Part = lazyPart<object>(() => {
      asked += 1
      return Promise.reject(new TypeError('Failed to fetch dynamically imported module'))
    })
    await loadAllParts()
    const errors: unknown[] = []
    const shown = (): Promise<unknown> =>
      prerender(createElement(Suspense, { fallback: 'soon' }, createElement(Part)), {
        onError: (error) => void errors.push(error)
      })
    await shown()
    await shown()
    expect(asked).toBe(1)
    expect(errors[0]).toBeInstanceOf(PartMissing)
    expect(String(errors[0])).toContain('Failed to fetch')
  })

  it('is told with the way out, and no fault of Stillpoint', () => {
    expect(guarded(new PartMissing('lost'))).toContain(words.broken.missing.text)
    expect(guarded(new PartMissing('lost'))).not.toContain(words.broken.what)
    expect(guarded(new Error('a bug'))).toContain(words.broken.what)
  })
})
