// Where a picture is dropped or chosen.

import { useState } from "preact/hooks";

export function DropZone({ onFile }: { readonly onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    const [file] = event.dataTransfer?.files ?? [];
    if (file) onFile(file);
  };
  return (
    <label
      class={`drop-zone card ${isOver ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={onDrop}
    >
      <input
        type="file"
        accept="image/*,.pbm"
        aria-label="Picture file"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) onFile(file);
          event.currentTarget.value = "";
        }}
      />
      <strong>Drop a picture here, or choose one</strong>
      <span class="quiet">
        PNG, JPEG, WebP, SVG or PBM. It stays on this computer: only its dots are sent.
      </span>
    </label>
  );
}
