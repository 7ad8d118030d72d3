import { saveFile } from './save-file.ts'

/** Offers text as a download. */
export const saveTextFile = (fileName: string, text: string, type = 'text/plain'): void =>
  saveFile(new Blob([text], { type: `${type};charset=utf-8` }), fileName)
