// A drop zone for one file, which can also be chosen by click or key.

import { useRef, useState } from "preact/hooks";

interface DropProps {
  readonly label: string;
  readonly hint: string;
  readonly accept?: string;
  readonly file: File | undefined;
  readonly onFile: (file: File) => void;
}

export function Drop({ label, hint, accept, file, onFile }: DropProps) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const [first] = files ?? [];
    if (first) onFile(first);
    // Allows choosing the same file again after it has changed.
    if (input.current) input.current.value = "";
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    take(event.dataTransfer?.files);
  };
  return (
    <label
      class={`drop ${isOver ? "over" : ""} ${file ? "full" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        class="hidden"
        accept={accept}
        aria-label={label}
        onChange={(event) => take(event.currentTarget.files)}
      />
      <strong>{file ? file.name : label}</strong>
      <span class="hint">{hint}</span>
    </label>
  );
}
