"""Archives of pictures, verified by checksums, and downloaded only where that is asked for."""

import shutil
import tarfile
from dataclasses import dataclass
from hashlib import md5, sha256
from pathlib import Path

from cortexsim.errors import UserError
from cortexsim.tasks.images.library import torchvision

CHUNK = 2**22  # Bytes of a file that are read at once.


@dataclass(frozen=True)
class Archive:
    """An archive in a format of its own, and what it contains.

    Attributes:
        title: of the data set.
        folder: that it unpacks to.
        file: its name.
        url: where it is published.
        md5: its checksum.
        contents: files in the folder, each with its checksum.
    """

    title: str
    folder: str
    file: str
    url: str
    md5: str
    contents: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 digest of the checksums of its contents."""
        return sha256(repr(self.contents).encode()).hexdigest()

    def unpacked(self, root: Path, download: bool) -> Path:
        """Return the verified folder of the archive, which is unpacked, or first downloaded, where need be.

        Args:
            root: the folder that contains archive or folder.
            download: whether to fetch an archive that is missing; with progress, and verified.

        Raises:
            UserError: if something is missing or damaged; the message says what is expected where.
        """
        folder, file = root / self.folder, root / self.file
        if not folder.is_dir():
            if not file.is_file() and not download:
                raise UserError(
                    f"path = '{root}': neither the folder {self.folder} of {self.title} nor its archive {self.file}"
                    f" (put {self.url} there, or set download = true)"
                )
            if not file.is_file():
                self._download(root)
            verify(file, self.md5, f"delete it and fetch {self.url} again")
            self._unpack(file, root)
        for name, checksum in self.contents:
            verify(folder / name, checksum, f"delete {folder} and unpack {self.file} again")
        return folder

    def _download(self, root: Path) -> None:
        try:
            torchvision().datasets.utils.download_url(self.url, str(root), self.file, self.md5)
        except (OSError, RuntimeError) as error:
            raise UserError(f"{self.url}: cannot be downloaded to {root} ({' '.join(str(error).split())})") from None

    def _unpack(self, file: Path, root: Path) -> None:
        part = root / f"{self.folder}.part"
        shutil.rmtree(part, ignore_errors=True)  # Of an attempt that was interrupted.
        try:
            if file.suffix == ".zip":
                shutil.unpack_archive(file, part)
            else:
                _extract_files(file, part)
            (part / self.folder).rename(root / self.folder)
        except (OSError, EOFError, ValueError, shutil.ReadError, tarfile.TarError) as error:
            raise UserError(f"{file}: cannot be unpacked ({error})") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _extract_files(file: Path, folder: Path) -> None:
    """Extract the regular files of a tar archive, and nothing outside a folder.

    The filters of `tarfile`, which do this, begin with Python 3.11.4.

    Raises:
        TarError: where an entry leads out of the folder.
    """
    with tarfile.open(file) as archive:
        for entry in archive:
            target = (folder / entry.name).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise tarfile.TarError(f"'{entry.name}' leads out of its folder")
            if (content := archive.extractfile(entry) if entry.isfile() else None) is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as copy:
                    shutil.copyfileobj(content, copy)


def verify(file: Path, checksum: str, remedy: str) -> None:
    """Check the MD5 checksum of a file.

    >>> file = Path("pictures.tar.gz")
    >>> _ = file.write_bytes(b"not the pictures")
    >>> verify(file, "c32a1d4ab5d03f1284b67883e8d87530", "download it again")
    Traceback (most recent call last):
    cortexsim.errors.UserError: pictures.tar.gz: is damaged: its MD5 is 35d720752141831021a121ec19092cf1, not ...

    Args:
        file: of any size.
        checksum: its MD5 digest, in hexadecimal digits.
        remedy: end of the message, what the user can do.

    Raises:
        UserError: if it is missing or has another one.
    """
    if not file.is_file():
        raise UserError(f"{file}: is missing ({remedy})")
    found = md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    if found.hexdigest() != checksum:
        raise UserError(f"{file}: is damaged: its MD5 is {found.hexdigest()}, not {checksum} ({remedy})")
