from django.db import migrations, models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Concat


def put_together(apps, schema_editor):
    """Fill it for whoever is there, as `Principal.save` does for whoever is saved: a statement each, of one table."""
    Principal, User = apps.get_model('roles', 'Principal'), apps.get_model('roles', 'User')
    principals = Principal.objects.using(schema_editor.connection.alias)
    person = User.objects.filter(pk=OuterRef('pk'))
    username, address = (Subquery(person.values(column)) for column in ('username_key', 'email_key'))
    people = Concat('name_key', Value('\n'), username, Value('\n\n'), address)
    principals.filter(kind='user').update(search_text=people)
    principals.exclude(kind='user').update(search_text=Concat('name_key', Value('\n\n')))


class Migration(migrations.Migration):

    dependencies = [
        ('roles', '0012_departments_and_levels'),
    ]

    operations = [
        migrations.AddField(
            model_name='principal',
            name='search_text',
            field=models.CharField(default='', editable=False, max_length=1003),
            preserve_default=False,
        ),
        migrations.RunPython(put_together, migrations.RunPython.noop),
    ]
