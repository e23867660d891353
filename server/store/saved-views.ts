// What the store remembers of views of the device list that people have saved.

export interface SavedView {
  readonly userId: number;
  /** Of one user no two are the same. */
  readonly name: string;
  /** Of the page's URL, without `?`. */
  readonly query: string;
}

export interface SavedViewStore {
  /** By name. */
  listSavedViews(userId: number): Promise<readonly SavedView[]>;
  /** Replaces the one of the same name. */
  putSavedView(view: SavedView): Promise<void>;
  /** Whether it was there. */
  removeSavedView(userId: number, name: string): Promise<boolean>;
}
