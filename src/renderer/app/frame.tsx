import { UnstyledButton } from '@mantine/core'
import { Suspense, useRef, useState } from 'react'
import { BackupDialog } from '../features/backup/backup-dialog.tsx'
import { AddHostDialog } from '../features/hosts/add-host-dialog.tsx'
import { useWindow } from '../state/store-context.ts'
import { words } from '../words.ts'
import { Arrival } from './arrival.tsx'
import { focusHeading } from './focus-heading.ts'
import classes from './frame.module.css'
import { FrameDialogs } from './frame-dialogs.tsx'
import { LinkBanner } from './link-banner.tsx'
import { PageGuard } from './page-guard.tsx'
import { PageSkeleton } from './page-skeleton.tsx'
import { PassphraseDialog } from './passphrase-dialog.tsx'
import { Rail } from './rail.tsx'
import { PAGES } from './screens.tsx'
import { Search } from './search/search.tsx'
import { TopBar } from './top-bar.tsx'
import { Travel } from './travel.ts'
import { useAppearance } from './use-appearance.ts'
import { useShortcuts } from './use-shortcuts.ts'
import { useTitle } from './use-title.ts'

/** Rail on the left, bar on top, the page below it, and what may lie over all of them. */
export function Frame() {
  useAppearance()
  useShortcuts()
  return (
    <div className={classes['frame']}>
      <UnstyledButton className={classes['skip']} onClick={focusHeading}>
        {words.skip}
      </UnstyledButton>
      <Rail />
      <div className={classes['body']}>
        <TopBar />
        <LinkBanner />
        <Page />
      </div>
      <Search />
      <AddHostDialog />
      <BackupDialog />
      <PassphraseDialog />
      <FrameDialogs />
      <TitleKeeper />
    </div>
  )
}

function Page() {
  const route = useWindow((state) => state.route)
  const go = useWindow((state) => state.go)
  const page = useRef<HTMLElement>(null)
  const [travel] = useState(() => new Travel(route))
  const Screen = PAGES[route.screen]
  return (
    <main className={classes['page']} ref={page}>
      <div className={classes['content']}>
        <Suspense fallback={<PageSkeleton />}>
          <PageGuard route={route} onLeave={() => go({ screen: 'overview' })}>
            <Screen />
          </PageGuard>
          <Arrival route={route} travel={travel} page={page} />
        </Suspense>
      </div>
    </main>
  )
}

/** Of its own, so that a title that changes draws nothing else again. */
function TitleKeeper() {
  useTitle()
  return undefined
}
