import { Suspense } from 'react'
import { AddHostDialog } from '../features/hosts/add-host-dialog.tsx'
import { useWindow } from '../state/store-context.ts'
import classes from './frame.module.css'
import { Rail } from './rail.tsx'
import { PAGES } from './screens.tsx'

/** Rail on the left, the page beside it. */
export function Frame() {
  const { screen } = useWindow((state) => state.route)
  const Page = PAGES[screen]
  return (
    <div className={classes['frame']}>
      <Rail />
      <main className={classes['page']}>
        <Suspense fallback={undefined}>
          <Page />
        </Suspense>
      </main>
      <AddHostDialog />
    </div>
  )
}
